"""What the things and faults of `domain.matter_words` are called by the library."""

from __future__ import annotations

THINGS: dict[str, tuple[str, str]] = {
    "air": ("空调", "air conditioning"),
    "light": ("灯光", "lights"),
    "printer": ("打印复印", "printing"),
    "toilet": ("卫生间", "toilets"),
    "tap": ("水池水龙头", "taps"),
    "water": ("饮水", "drinking water"),
    "lift": ("电梯", "lift"),
    "gate": ("门禁", "gates"),
    "door": ("门", "doors"),
    "wifi": ("无线网络", "Wi-Fi"),
    "socket": ("插座", "sockets"),
    "chair": ("椅子", "chairs"),
    "table": ("桌子", "tables"),
    "locker": ("存包柜", "lockers"),
    "curtain": ("窗帘", "curtains"),
    "window": ("窗户", "windows"),
    "roof": ("漏水", "leaks"),
    "hold_seat": ("占座", "seats held"),
    "seat_booking": ("座位预约", "seat booking"),
    "study_room": ("研讨间", "study rooms"),
    "noise": ("噪音", "noise"),
    "food": ("饮食", "food"),
    "smell": ("气味", "smells"),
    "smoking": ("吸烟", "smoking"),
    "dirt": ("卫生", "cleaning"),
    "opening": ("开放时间", "opening hours"),
    "holiday": ("假期", "holidays"),
    "cnki": ("知网", "CNKI"),
    "wanfang": ("万方维普", "Wanfang and Weipu"),
    "wos": ("外文数据库", "foreign databases"),
    "database": ("数据库", "databases"),
    "remote": ("校外访问", "access from outside"),
    "website": ("网站", "website"),
    "catalogue": ("检索系统", "catalogue"),
    "account": ("账号", "accounts"),
    "fine": ("超期与罚款", "fines"),
    "return_book": ("还书", "returning books"),
    "renew": ("续借", "renewals"),
    "borrow": ("借书", "borrowing"),
    "hold": ("预约取书", "reserved books"),
    "self_check": ("自助借还", "self-service"),
    "missing_book": ("找不到书", "books not found"),
    "damaged_book": ("图书破损", "damaged books"),
    "lost_book": ("图书遗失", "lost books"),
    "buy_book": ("荐购", "purchase suggestions"),
    "ill": ("馆际互借", "interlibrary loan"),
    "thesis": ("学位论文", "theses"),
    "lecture": ("讲座培训", "lectures"),
    "lost": ("失物", "lost property"),
    "staff": ("服务态度", "staff manners"),
    "guard": ("保安", "guards"),
    "visitor": ("校外读者", "visitors"),
    "leaving": ("离校", "leaving"),
    "card": ("校园卡", "cards"),
    "computer": ("电脑", "computers"),
    "projector": ("投影屏幕", "projectors"),
    "seats": ("座位不够", "too few seats"),
    "bike": ("停车", "parking"),
    "insects": ("虫鼠", "insects"),
    "fire": ("火情", "fire"),
    "person_ill": ("有人不适", "somebody ill"),
    "harass": ("骚扰", "harassment"),
    "praise": ("表扬", "praise"),
    "canteen": ("食堂", "canteen"),
    "dorm": ("宿舍", "dormitory"),
    "stairs": ("楼梯地面", "stairs"),
    "shelf": ("书架", "shelves"),
    "coffee": ("咖啡", "coffee"),
    "place": ("同一个地方", "one place"),
    "like": ("说法相近的事", "letters alike"),
}
FAULTS: dict[str, tuple[str, str]] = {
    "hot": ("太热", "too hot"),
    "cold": ("太冷", "too cold"),
    "broken": ("坏了", "broken"),
    "no_access": ("用不了", "no access"),
    "slow": ("慢或断", "slow"),
    "noisy": ("吵", "noisy"),
    "dirty": ("脏", "dirty"),
    "empty": ("用完了", "empty"),
    "wet": ("漏水", "wet"),
    "dark": ("太暗", "dark"),
    "flicker": ("闪", "flicker"),
    "trapped": ("困住", "trapped"),
    "few": ("不够", "too few"),
    "early": ("太早", "too early"),
    "late": ("想更晚", "later"),
    "wrong_record": ("记录不对", "wrong record"),
    "missing": ("找不到", "missing"),
    "jam": ("卡纸", "jammed"),
    "power": ("没电", "no power"),
    "unread": ("扫不出", "not read"),
    "lukewarm": ("不热", "not hot"),
    "blocked": ("被封", "blocked"),
    "misuse": ("被占用", "misused"),
    "blank": ("打不开", "blank"),
}


def matter_name(key: str, locale: str) -> str:
    """A key of `domain.surges` as people read it: 空调 · 3 层, air conditioning · floor 3."""
    english = locale == "en"
    if key.startswith("place="):
        return key.removeprefix("place=")
    thing, _, more = key.partition(" ")
    names = THINGS.get(thing.partition("=")[0], (thing, thing))
    name = names[english]
    kind, _, value = more.partition("=")
    if kind == "floor":
        return f"{name} · floor {value}" if english else f"{name} · {value} 层"
    if kind == "fault":
        return f"{name} · {FAULTS.get(value, (value, value))[english]}"
    return f"{name} · {value}" if value else name
