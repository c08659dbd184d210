"""What kind of emergency a rule speaks of: codes of `ALARM_NAMES`.

By the rule's id, which stays when a library edits its words; where a rule hears several kinds, by
the word that it heard. What nothing here tells has no kind: a wrong one sends who comes the wrong
way, and the rule says in its reason what it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.routing.domain.match import Fired

OF_RULE = {
    "p1.aed": "collapsed",
    "p1.all_down": "outage",
    "p1.arson": "fire",
    "p1.blow_up": "threat",
    "p1.clause_exit": "exit",
    "p1.dataleak": "leak",
    "p1.electric": "water_electric",
    "p1.exit": "exit",
    "p1.falling": "falling",
    "p1.farewell": "suicide",
    "p1.fell": "bleeding",
    "p1.fire": "fire",
    "p1.flood": "water_electric",
    "p1.gas": "gas",
    "p1.leak": "water_electric",
    "p1.leak_words": "leak",
    "p1.lift": "lift",
    "p1.locked_in": "locked",
    "p1.others_data": "leak",
    "p1.parcel": "threat",
    "p1.pipe": "water_electric",
    "p1.power": "outage",
    "p1.published": "leak",
    "p1.selfharm": "suicide",
    "p1.smoke_en": "fire",
    "p1.stem_exit": "exit",
    "p1.stem_smoke": "fire",
    "p1.stem_water": "water_electric",
    "p1.systemdown": "outage",
    "p1.threat": "threat",
    "p1.trapped": "locked",
    "p1.unresponsive": "collapsed",
    "p1.violence": "threat",
    "p1.weapon": "threat",
}
BY_WORD = frozenset({"p1.person", "p1.stem_person"})
UNTOLD = frozenset({"p1.help", "p1.in_earnest", "p1.smell"})
"""A cry for help; whatever is no joke; a smell that may be of fire or of gas."""
_WORDS = {
    "seizure": (
        "抽搐|抽筋倒|抽过去|痉挛|癫痫|羊癫疯|羊角风|口吐|吐白沫|seizure|convuls|foaming|"
        "having a fit"
    ),
    "breathing": (
        "呼吸|喘|吸不进|没气|断气|憋得|噎|窒息|哮喘|呛到|溺|过敏|喉咙肿|脸肿|嘴肿|起疹|breath|"
        "chok|asthma|allergic|epipen|swelling"
    ),
    "burning": "烫",
    "bleeding": (
        "血|骨|砸|夹|割|划伤|刺伤|扎到|摔|滚|断|磕|头破|后脑勺|压着|压住|压到|被压|blood|bleed|"
        "injur|hurt|cut h|cut my|broke h|head|fell"
    ),
    "collapsed": (
        "晕|昏|倒|瘫|栽|不省|不醒|叫不|喊不|意识|知觉|休克|心梗|心脏|心绞|胸|不行了|中风|脑|"
        "嘴歪|faint|passed out|collaps|unconscious|responsive|responding|wake|pulse|heart|chest|"
        "lying|on the floor|on the ground|over"
    ),
}
_SAYS = [(kind, tuple(words.split("|"))) for kind, words in _WORDS.items()]


def kind_of(fired: Sequence[Fired]) -> str | None:
    """Of the rules that call it an emergency, the worst first, what the first says that says any;
    None where none does."""
    for each in fired:
        kind = OF_RULE.get(each.rule.id)
        if kind is None and each.rule.id in BY_WORD:
            kind = next(
                (k for k, words in _SAYS if any(w in s for w in words for s in each.seen)), None
            )
        if kind is not None:
            return kind
    return None
