"""The words for what libraries are told about: things, and what is wrong with them or wanted.

One of each begins a line: its name, Chinese words, and behind bars beginnings of English words.
Longer words win: 储物柜 is no 柜子. `VERSION` counts up with any change here, or in how they are
read: what cases name is then found anew, in the background.
"""

from __future__ import annotations

VERSION = 6
THINGS = """
air: 空调 冷气 暖气 制冷 制热 供暖 暖风
    温度 太热 好热 太冷 好冷 空气不好 通风
    | air con, air-con, aircon, ac, a/c, heating, heater, radiator,
    | temperature, degrees in, thermostat, ventilat, stuffy
light: 灯 照明 台灯 日光灯 灯管
    | light, lamp, bulb
printer: 打印 复印 扫描仪 墨 硒鼓 卡纸 夹纸
    打出来 文印 黑道子 打出的
    海报 彩印
    | poster,
    | print, photocop, copier, scanner, toner,
    | printout, printed
toilet: 厕所 卫生间 洗手间 马桶 厕纸 卫生纸 女厕 男厕
    | toilet, restroom, bathroom, washroom
tap: 水龙头 洗手池 水池 洗手台 下水道
    | tap, faucet, sink
water: 饮水 开水 热水 直饮 接水 烧水 凉水 打水
    水壶 热水器 矿泉水
    | water dispenser, drinking water, hot water, water fountain, water cooler,
    | water boiler,
    | water from fountain, fountain, hot water
lift: 电梯 轿厢 升降
    | lift, elevator
gate: 闸机 门禁 刷卡进 通道机 进不了馆 进馆 入馆 刷脸 进不去馆 人脸识别
    刷不进 人证不符
    入馆码 进馆码 报警器 警报响
    | beeped, beeps,
    | gate, turnstile, entrance, card reader, get in
door: 自动门 大门 玻璃门 门锁 旋转门
    | door
wifi: wifi 无线 wi-fi 网络 网速 上网 断网 热点 连不上网 没网 信号
    上不了网 上不去网 连不了网 网断 断了网 掉网 网卡 网很慢 网太慢 没有网
    | wifi, wi-fi, wireless, eduroam, internet, network,
    | get online, no connection, no signal, going online
socket: 插座 插口 插头 充电 电源 插排 充不上电
    | socket, outlet, power point, plug, charging
chair: 椅 凳 沙发
    | chair, stool, sofa
table: 桌 桌面
    | desk, table
locker: 储物柜 存包柜 寄存 存包 柜门 柜子 存取柜 寄存柜 包柜
    | locker
curtain: 窗帘 遮光 百叶 太阳直射
    | curtain, blind
window: 窗户 窗子 开窗 关窗
    | window
roof: 漏水 漏雨 天花板 屋顶 滴水 渗水 积水
    | leak, ceiling, dripping, flood
hold_seat: 占座 占位 占着 占了座 抢座 霸座 水杯占 书占 占座位 占用座位 占一上午 占一天 占桌
    霸着 霸占 占我 抢我座 抢我的座 座位被占 位子被占 占位子 占好几个
    | seat hog, hogs seats, hog seats, save seats, unattended bag, taking up seats,
    | hogging, saving seat, reserve seats with, reserving seats, holding seats, seat hogg,
    | bags on seats, occupying seats, occupied by bag, occupied by book, seats with bags,
    | seats with books
seat_booking: 座位预约 预约座位 选座 签到 违约 座位系统 抢不到座 预约系统 约不到座 暂离
    扫座位
    信用分 爽约
    | seat booking, seat reservation, book a seat, booking a seat, check in, check-in,
    | no-show, booking system,
    | credit score
study_room: 研讨间 研修间 讨论室 研讨室 研修室 讨论间 小组室 单人间
    | group study, study room, discussion room, seminar room, group room, carrel
noise: 吵 噪音 喧哗 打电话 讲电话 大声 说话 外放 聊天 敲键盘 键盘声 打闹 喧闹 安静 语音
    讨论声 跑来跑去 菜市场 窃窃私语 闹哄哄 声音太大 唱歌
    拖椅子 吱呀
    | squeak, creak,
    | noise, noisy, loud, talking, chatting, phone call, on the phone, quiet, shout,
    | whisper, running around, drums
food: 吃东西 吃饭 外卖 零食 饭味 泡面 吃早饭 食物 螺蛳粉
    | eating, food, snack, takeaway, lunch in
smell: 味道 臭 异味 难闻 霉味 烟味 甲醛
    | smell, stink, odor, odour
smoking: 抽烟 吸烟 烟味 烟头
    | smoke, smoking
dirt: 脏 灰尘 打扫 垃圾 清洁 卫生差 卫生太 蟑螂 保洁 污渍 没擦 都是灰 全是灰
    | dirty, dust, trash, garbage, rubbish, clean, cockroach, litter
opening: 开放时间 开馆 闭馆 关门 几点开 几点关 开到几点 开放到 延长开放 延长时间 通宵
    催我们走 赶人 清场 24小时
    几点到几点 开放吗 开门吗 开不开
    | open on,
    | opening hour, open hours, close at, closing, opening time, closes, open until,
    | open later, 24 hours, 24-hour, overnight, stay open
holiday: 寒假 暑假 假期 放假 国庆 春节 五一 节假日
    | holiday, vacation, break hours, summer, winter break
cnki: 知网 cnki 中国知网
    | cnki
wanfang: 万方 维普
    | wanfang, weipu
wos: 外文库 外文数据库
    | web of science, wos, sci-hub, scopus, sciencedirect, elsevier, springer, ieee, jstor,
    | wiley, proquest
database: 数据库 电子资源 电子期刊 期刊 电子书 全文 文献下载 下载论文 下载不了论文 恶意下载
    批量下载
    scifinder 北大法宝 爱思唯尔 外刊 下不到 并发 nature 子刊
    | database, e-resource, journal, ebook, e-book, full text, fulltext,
    | electronic resource, download paper, download article,
    | scifinder, subscription, streaming video, paywall
remote: 校外 vpn 在家 远程 carsi 校外访问
    老家 国外 外地 家里看 家里用 家里点 出差 海外
    | from abroad, abroad, at home, outside campus, away from campus,
    | off campus, off-campus, vpn, from home, remote access, carsi, shibboleth
website: 网站 官网 主页 公众号 小程序 网页
    app 客户端 闪退 首页
    | website, web site, homepage, mini program, web page,
    | app, dark mode
catalogue: 检索系统 opac 馆藏目录 检索不到 查书 书目
    搜不到 检索页 检索结果 检索框 目录上 目录里
    | opac, catalog, discovery,
    | search for a title, search results, search returns
account: 账号 账户 密码 登录 登陆 登不上 绑定
    | account, password, log in, login, sign in, log on
fine: 罚款 超期 逾期 滞纳金 罚金 超期费 欠费 超期罚
    | overdue, fined, a fine, the fine, fines, late fee, overdue fee, penalt
return_book: 还书 归还 已还 还了 未还 没还 还书箱
    | returned, return book, return a book, book drop, book return, returning
renew: 续借 续期
    | renew
borrow: 借书 借阅 能借 借几本 外借 借期 可借 借书证
    | borrow, loan, check out, checkout
hold: 预约书 预约的书 预约到 取书 取预约 委托借阅 通借
    | hold shelf, pick up, pickup, on hold, reserved book, book i reserved, my reservation
self_check: 自助借还 借还机 自助机 借书机 自助还
    还书机 吞了 吞书
    | swallowed,
    | self-check, self check, self-service machine, borrowing machine, kiosk
missing_book: 找不到书 书架上没有 不在架 找不到这本 错架 乱架 显示在馆 显示在架 架上没有
    | not on the shelf, not on shelf, can't find the book, missing book,
    | cannot find the book, misplaced, mis-shelved
damaged_book: 涂鸦 缺页 破损 涂画 乱画 划线 写满 笔记 涂得 撕 掉页 污损
    | torn, pages missing, missing pages, scribbl, damaged book, highlighted, pencil marks,
    | underlin
lost_book: 丢了书 书丢 遗失 弄丢了书 赔书 赔偿 怎么赔
    | lost book, lost a book, lost the book, replace a book, compensat
buy_book: 荐购 采购 买书 购买 多买 能不能买 希望能买 订购 采买
    | purchase, buy, acquire, recommend a book, acquisition
ill: 馆际互借 文献传递 互借 原文传递
    外馆 他馆 别的馆
    外馆借 国际互借
    | loan from another,
    | interlibrary, inter-library, document delivery, ill request,
    | chapter from, from another library, one chapter
thesis: 学位论文 论文提交 查重 查新 收录证明 论文收录
    | thesis, dissertation, plagiarism, similarity check, citation report
lecture: 讲座 培训 活动报名 工作坊 课程 报名
    展览 展厅 读书会 征文 观影 比赛
    | lecture, workshop, training, seminar, talk, register for, event,
    | exhibition, book club, film, screening, competition
lost: 丢了 丢失 落在 失物 不见了 捡到 拾到 被偷 偷了 丢在
    忘在 遗落 失主 招领 拾获 捡了 掉在 忘拿
    | left behind, umbrella,
    | lost my, left my, found a, stolen, lost and found, missing my, lost property, i lost,
    | i left
staff: 态度 服务员 馆员 老师态度 工作人员态度 不耐烦 爱答不理 骂
    爱理不理 翻白眼 语气 摔在 凑合
    凶 吼我 吼人 冲我吼 骂人 冷暴力 服务态度 训斥 嘲笑 取笑 没礼貌 粗鲁 阴阳怪气
    | yelled at, shouted at, mocked, scold, condescend, unhelpful, staff are, member of staff,
    | rude, attitude, staff was, unfriendly, impolite, librarian was,
    | rolled her eyes, rolled his eyes, snapped at, dismissive
guard: 保安 安保 门卫
    | security guard, guard
visitor: 校友 校外人员 参观 访客 家属 外校
    社会公众 社会读者 外单位 校外读者 亲友 团体
    | to the public, outsider, non-member, guided tour, outside the university,
    | alumni, alumnus, visitor, visit, guest, external reader
leaving: 离校 毕业 清书
    | graduat, leaving the university, clearance
card: 校园卡 借书证 一卡通 学生证 读者证
    证件 办证
    | card,
    | id card
computer: 电脑 公共机 检索机 主机 显示器 鼠标 公用电脑
    | computer, pc, monitor, mouse, workstation
projector: 投影 电子屏 大屏 显示屏
    | projector, screen, display
seats: 座位不够 没座位 没有座位 座位太少 自习座位 找不到座位 座位紧张 增加座位
    | not enough seats, no seats, more seats, nowhere to sit, no free seat,
    | seats available
bike: 停车 自行车 电动车 单车
    | bike, bicycle, parking, scooter
insects: 蚊子 虫子 老鼠 蟑螂 飞虫
    | mosquito, insect, insect, bug, rat, mice, cockroach
fire: 着火 冒烟 火灾 烧焦 焦味 起火 火警 消防
    | fire, smoke coming, burning
person_ill: 晕倒 昏倒 抽搐 受伤 流血 心脏 急救 不省人事 摔倒
    中暑 低血糖 呼吸困难 叫不应 没有反应的人
    | faint, collaps, unconscious, injured, bleeding, seizure, heart attack, ambulance,
    | can't breathe, passed out, not breathing
harass: 偷拍 骚扰 跟踪 猥亵 摸我 尾随
    裙底 对着裙子 陌生男 猥琐
    | harass, upskirt, stalk, groped, secretly film,
    | following me, follows me, under skirts
praise: 感谢 表扬 点赞 非常好 谢谢你们
    | thank you so, grateful, praise, kudos
canteen: 食堂 餐厅 饭堂
    | canteen, cafeteria, dining
dorm: 宿舍 寝室
    | dorm
stairs: 楼梯 台阶 地面滑 地滑 防滑
    | stair, slippery, steps
shelf: 书架 够不着 梯子
    架子 架上 架位 倒架 排架
    | reshelv,
    | shelf, shelves, ladder
coffee: 咖啡 水吧
    | coffee, cafe
rare_book: 古籍 善本 特藏 手稿 民国 方志 地方志 线装 档案
    | rare book, manuscript, special collection, gazetteer, archive
label: 索书号 分类号 条形码 书标 书脊 isbn 归错类 分错类 放错类
    | call number, spine, barcode, isbn, wrong subject
research_help: 学科馆员 endnote noteexpress zotero spss 文献管理 查文献 开题
    | subject librarian, endnote, zotero, spss, reference manager, help to find, research help
publishing: 投稿 orcid 影响因子 分区 版面费 掠夺性
    | orcid, impact factor, publisher, article fee, predatory
access_needs: 轮椅 无障碍 残疾 拐 石膏 盲人 盲道 色盲 坡道 放大阅读 视障 听障
    | wheelchair, accessib, disab, crutch, in a cast, hearing loop
children: 小孩 孩子 家长 儿童 小朋友
    | kids, children, child, toddler
exit: 逃生 应急出口 安全出口 疏散 消防通道
    | emergency exit, fire door, evacuation, fire exit
danger: 天台 轻生 想不开 跳下去 栏杆外 自杀
    | suicid, on the roof, going to jump, end my life
signs: 指示牌 标识 导视 导航屏 楼层图 楼层指引
    | sign says, signs, signage, floor map, wayfinding
broadcast: 广播 播音 提示音
    | announcement, loudspeaker
course: 选课 学分 绩点 成绩单 教务
    | transcript, credits, gpa, registrar, course selection
clinic: 校医院 校医
    | campus hospital, clinic
shuttle: 校车 班车
    | shuttle
grants: 奖学金 助学金 奖助 贫困认定
    | scholarship, stipend
money: 扣钱 扣费 扣款 多收 收费 交费 退款 退费 押金 费用 扣了我 收了我
    | refund, charged, deposit, too expensive, price
language: 留学生 外国学生 外国人 外国读者 英文版 英文界面 双语 说英语 看不懂中文 中文慢 交换生
    | translat, chinese only, only in chinese, in english, english version, english option,
    | international student, exchange student, foreign student
elderly: 老人 老年 老先生 退休 老读者
    | elderly, senior citizen, retired
tutor: 导师 辅导员 班主任
    | supervisor, counsellor, tutor
"""
ELSEWHERE = frozenset({"canteen", "clinic", "dorm", "shuttle"})
"""Things by which two comments are about different places, whatever else they share."""
FAULTS = """
-: 冷气 热水 凉水 冷水
    | cold water, hot water
hot: 热 闷 不制冷 不凉
    | hot, stuffy, sauna, warm, boiling, sweat
cold: 冷 冻 发抖 羽绒服 调高
    | cold, freez, chilly, shiver
broken: 坏 故障 失灵 不能用 用不了 没反应 没有反应 修 失效 不工作 不亮 死机 停了 停运
    打不开 关不上 拧不紧
    | broken, not work, doesn't work, isn't work, out of order, fail, fault, repair,
    | stuck, won't
no_access: 进不去 打不开 登不上 登录不 连不上 访问不 无法访问 没有权限 不在授权 刷不开
    无权限 提示 失败 不能下载 下载不
    | can't access, cannot access, unable to, not authori, denied, can't log, cannot log,
    | won't open, can't open, cannot open, not accepted, no access, can't connect,
    | cannot connect
slow: 慢 卡顿 断 掉线 很差 延迟
    | slow, drop, lag, unstable, disconnect, weak
noisy: 打电话 讲电话 外放 吵 大声 噪音 喧哗
    | noise, noisy, loud
dirty: 脏 臭 灰 味 没打扫
    | dirty, smell, stink, dust, filthy
empty: 没有纸 没纸 缺纸 没有了 没水 用完
    | no paper, out of, ran out, run out, empty
wet: 漏 滴水 淋 湿 积水 流
    | leak, drip, wet, flood
dark: 暗 太黑 光线
    | dark, dim
flicker: 闪 晃眼 频闪
    | flicker, flash
trapped: 困 关在里面 关了人
    | trapped, stuck in
few: 不够 太少 都满 抢不到 约不到 紧张 满了
    | not enough, too few, full, more
early: 太早 赶人 催 提前
    | too early, earlier, before closing
late: 延长 晚一点 通宵 更晚
    | longer, later, extend, overnight
ask: 请问 怎么 如何 能不能 可以吗 吗 几点 多少 几本 哪里 什么时候
    | how, where, when, what, can i, could i, may i, is it possible, do you
wrong_record: 显示未还 没还 未还 还说 还挂着 误 记错 明明
    | still show, still says, shows as, wrongly, mistake
missing: 找不到 没有这本 不见 没消息 没有回音 没收到
    | can't find, cannot find, missing, not there, no reply, haven't heard, no news
jam: 卡纸 夹纸
    | jam
power: 没电 没有电 充不上 充不了 断电
    | no power, sockets at the desks are dead
unread: 扫不了 读不出 识别不了 扫不出
lukewarm: 没热水 没有热水 只出凉水 没开水
    | only cold water, no hot water
blocked: 封了 被封 封禁 禁了 被禁 暂停 限制
    | block, ban, suspend
misuse: 赖着 占着不走 不肯出来 乱 别人占
    | refuse to leave, occupied by
blank: 空白 404 乱码 报错 错误
    | blank, 404, error
"""
"""What is named ``-`` only looks like one."""
SAY_ALL = frozenset(
    {
        "damaged_book",
        "danger",
        "fire",
        "hold_seat",
        "noise",
        "person_ill",
        "roof",
        "smoking",
    }
)
"""Things that are themselves what is wrong."""
BROAD = frozenset(
    {
        "access_needs",
        "account",
        "borrow",
        "card",
        "children",
        "computer",
        "course",
        "database",
        "door",
        "grants",
        "elderly",
        "label",
        "language",
        "lecture",
        "lost",
        "money",
        "praise",
        "publishing",
        "rare_book",
        "remote",
        "research_help",
        "seats",
        "shelf",
        "signs",
        "smell",
        "staff",
        "table",
        "thesis",
        "toilet",
        "tutor",
        "visitor",
        "website",
    }
)
"""Things that much is said about: naming one of them is not yet one matter."""
