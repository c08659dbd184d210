"""An invented library and its letters, in the order of time: what a library's own history is like.

It has eleven departments of its own, and names of its own for rooms and things, which nobody else
knows. After half a year printing goes from one department to another. Three letters in a hundred
went to somebody else than who they belonged to. Few sentences, many ways to put them together:
easier than what people write, so what is measured here compares ways of learning, and no more.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

OURS = {
    "readers": ("读者服务中心", "Reader Services"),
    "lending": ("借还部", "Lending"),
    "buying": ("资源发展部", "Collection Development"),
    "digital": ("数字资源部", "Digital Resources"),
    "tech": ("技术与网络部", "Technology"),
    "house": ("物业保障组", "Building Care"),
    "rare": ("古籍与档案部", "Rare Books and Archives"),
    "subject": ("学科与查新站", "Subject Librarians"),
    "culture": ("文化推广部", "Culture and Outreach"),
    "medical": ("医学分馆", "Medical Branch"),
    "affairs": ("综合管理部", "General Affairs"),
}
"""Code → (Chinese, English)."""
NOT_OURS = "非本馆"
WRONG = 0.03

_MATTERS = {
    "readers": """
{where}占座太严重，一上午没人的位子都放着书
松风阁怎么预约，系统一直显示满
{where}有人一直外放视频，能不能管管
考研座位什么时候开始申请
寄存柜满了三天，钥匙也没人收
闭馆音乐响了还有二十分钟就赶人，太早
{where}的静音区有人打电话
周末{where}几点开门，网上写的不一样
预约了{where}的位子，到了却被别人坐着
离开吃个饭回来座位就被系统释放了
松风阁里的投影遥控器不知道找谁拿
通宵自习室期末还开不开
Somebody keeps a seat with a cup all day in {where}
Can the quiet zone in {where} really be quiet
""",
    "lending": """
书还到还书箱里了，账上还挂着
青鸟柜扫码打不开，我的书在里面
预约的书通知到了，青鸟柜里没有
超期一天就罚款，能不能减免
毕业离校手续卡在图书馆欠书这一步
借书上限能不能提高到三十本
续借按钮是灰的，还有两天到期
书丢了怎么赔，按原价还是三倍
通借通还的书等了十天还没送到
架上找不到系统说在架的书
还书时发现上一位把书划花了，别算我的
借的光盘读不出来
My book was returned last week and still shows as on loan
The locker will not open with my code
""",
    "buying": """
推荐购买的书三个月没有回音
想荐购一套外文教材
能不能多买几本线性代数，每次都借光
老师指定的参考书馆里一本都没有
家里老人的藏书想捐给图书馆
订购的新书什么时候到
能不能订一份《{paper}》
这本书只有2003年的旧版，新版不买吗
捐的书后来去哪里了，想问一下
荐购平台登录后提示无权限
建议多买一些日文小说
教材参考书的复本太少
Please buy the new edition of this textbook
How do I donate books
""",
    "digital": """
{base}下载不了全文，提示没有权限
校外登录{base}一直跳回首页
{base}试用什么时候结束
CARSI登录之后找不到我们学校
检索{base}时提示并发数已满
{base}的电子书只能看二十页
VPN连上了还是打不开{base}
图书馆订的{base}今年没有了吗
外文期刊下载到一半提示超量，账号被封
想开通{base}的试用
毕业以后还能用{base}吗
电子书平台不能导出笔记
I cannot get the full text in {base} from home
{base} says our subscription has expired
""",
    "tech": """
云梯上看不到借阅记录
云梯更新之后闪退
自助借还机死机了，屏幕一直转圈
{where}无线信号太弱，一直断
检索机的键盘坏了好几个键
馆里的电脑开不了机
云梯的预约提醒收不到
官网打开特别慢
人脸闸机认不出我
自助机扫不出条码
云梯不能绑定新手机号
馆内查询机中文输入法没有了
The wireless in {where} drops every few minutes
The app keeps crashing after the update
""",
    "house": """
{where}空调太冷，坐不住
{where}的灯一直闪，眼睛疼
{where}洗手间没有纸，地上都是水
漱石轩的咖啡越来越贵
饮水机没有热水
{where}窗户关不上，漏风
电梯又停了，轮椅上不去
{where}椅子坏了一把，坐下去会摔
暖气一点都不热
{where}有蟑螂
漱石轩排队太久，能不能多开一个窗口
插座没有电，{where}靠墙那一排
It is freezing in {where}
The toilet on this floor is flooded
""",
    "rare": """
想看一部清代的地方志，怎么预约
善本能不能拍照
民国报纸的缩微胶片怎么看
馆藏家谱可以复制吗
想查1962年的学校档案
古籍阅览要带什么证件
拓片的扫描件在哪里下载
古籍修复工作可以参观吗
校史资料能不能借出来展览
手稿的版权归谁，想引用
族谱捐赠给你们有证书吗
古籍数据库里的图看不清
I would like to see a Qing dynasty gazetteer
May I photograph the manuscripts
""",
    "subject": """
查收查引报告多久能出
想做一个科技查新，怎么收费
开题要做文献综述，有老师可以辅导吗
论文查重在图书馆能做吗
怎么判断期刊是不是预警期刊
投稿的期刊分区查不到
EndNote培训什么时候有
想请学科馆员来课题组讲一次检索
职称评审要收录证明
引用格式有没有人能帮看看
ESI高被引怎么证明
数据管理计划有没有模板
I need a citation report for my promotion
Is there a workshop on literature search
""",
    "culture": """
知行舱怎么预约录音
周五的讲座能不能看回放
读书会报名满了能候补吗
展览的志愿者怎么报名
朗读比赛的结果什么时候公布
知行舱里的话筒没有声音
讲座签到没算进第二课堂
建议办一场旧书交换
放映会临时取消也不通知
征文的奖品还没领到
真人图书馆下次什么时候
展厅的海报能不能卖一份
When is the next film evening
How do I book the recording booth
""",
    "medical": """
明德楼的自习室周末不开门
明德楼空调坏了一周
在明德楼借的书能还到总馆吗
明德楼的打印机卡纸
明德楼座位不够，都被占了
明德楼的解剖图谱少了一册
明德楼阅览室太吵
医学院的老师能不能在明德楼做查新
明德楼无线网连不上
明德楼的门禁刷不开
明德楼能不能订《柳叶刀》纸本
规培生可以进明德楼吗
The reading room in Mingde building is closed again
Mingde building has no wireless
""",
    "affairs": """
校友怎么办入馆证
带孩子能不能进馆
想来馆里实习，有没有岗位
门口的保安态度很差
想预约参观，我们一共二十人
勤工助学的工资没有发
台口一位老师态度非常好，想表扬
馆员上班聊天不理人，我要投诉
合作单位来访找谁联系
发票抬头开错了
校外人员办证要什么材料
想采访馆长，联系谁
Can my parents come in for a visit
I want to praise the lady at the entrance
""",
    NOT_OURS: """
宿舍的热水又停了
食堂二楼的菜里有头发
选课系统进不去
校园卡丢了在哪里补办
学费交了没有到账
校车改时间也不通知
宿舍断网两天了
体育馆的场地怎么订
教学楼的投影坏了
快递站几点关门
奖学金什么时候发
校医院挂不上号
The dormitory has no hot water
My campus card is lost
""",
}
_PRINTING = """
打印机卡纸了，钱已经扣了
自助打印扫码之后没反应
彩色打印一张多少钱
{where}的打印机没有墨
打印余额怎么退
扫描件发不到邮箱
复印证件在哪里
The printer in {where} took my money and printed nothing
"""


def _parts(text: str) -> list[str]:
    return [one.strip() for one in text.split("|")]


_WHERE = _parts("三层东区|二层|四楼|一楼大厅|南馆|北馆五层|B区|旧馆|顶楼|期刊区|研修间|自习室")
_BASE = _parts("知网|万方|JSTOR|ScienceDirect|维普|读秀|Scopus|IEEE|SpringerLink|超星")
_PAPER = _parts("中国国家地理|三联生活周刊|自然|参考消息|读书|收获")
_BEFORE = """
您好|老师好|你好，请问|想反映一下|第二次写信了|麻烦问一下|不好意思打扰|说实话有点生气|今天中午|昨天晚上|
刚才|上周到现在|作为大四的学生|我是新来的老师|我是研究生|每次都这样|室友也遇到了|急|同学让我来问|
Hello|Hi there
"""
_AFTER = """
谢谢|麻烦尽快处理|请回复|到底什么时候能解决|已经说过好几次了|希望能改进|辛苦了|不知道该找谁|等你们消息|
真的很影响学习|其他学校都不是这样|能不能给个说法|提前感谢|我在现场等|请转给相关部门|
Thank you|Please help|就这样
"""
BEGIN = datetime(2025, 2, 24, 8, 0, tzinfo=timezone(timedelta(hours=8)))


@dataclass(frozen=True, slots=True)
class Past:
    """A letter, and to whom it belongs: a code of `OURS`, or `NOT_OURS`."""

    at: datetime
    text: str
    owner: str


def year(count: int, seed: int = 11) -> list[Past]:
    """So many letters, spread over a year, the oldest first; the same for the same seed."""
    chance = random.Random(seed)
    owners = [*OURS, NOT_OURS]
    weights = [chance.uniform(0.5, 2.0) for _ in owners]
    stems = {owner: _lines(text) for owner, text in _MATTERS.items()}
    printing = _lines(_PRINTING)
    found = []
    for number in range(count):
        owner = chance.choices(owners, weights)[0]
        if chance.random() < 0.06:
            owner = "tech" if number < count / 2 else "readers"
            stem = chance.choice(printing)
        else:
            # What people write about changes: some matters come up late in the year.
            known = stems[owner]
            stem = known[int(len(known) * chance.random() * min(1.0, 0.5 + number / count))]
        text = stem.format(
            where=chance.choice(_WHERE), base=chance.choice(_BASE), paper=chance.choice(_PAPER)
        )
        before = chance.choice(_parts(_BEFORE)) + "，" if chance.random() < 0.6 else ""
        after = "。" + chance.choice(_parts(_AFTER)) if chance.random() < 0.6 else ""
        if chance.random() < WRONG:
            owner = chance.choice(owners)
        at = BEGIN + timedelta(days=365) * (number / count)
        found.append(Past(at, f"{before}{text}{after}", owner))
    return found


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()
