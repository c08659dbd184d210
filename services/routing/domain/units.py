"""Other units of the university, and what is said of their matters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.routing.domain.text import fold


class OtherUnit(BaseModel):
    """A unit of the university, what is said of its matters, and what a reader is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    unit: str = Field(min_length=1, max_length=60)
    unit_en: str = Field(min_length=1, max_length=60)
    phrases: tuple[str, ...] = Field(min_length=1)
    instead: str = Field(min_length=1, max_length=300)
    instead_en: str = Field(min_length=1, max_length=300)

    @field_validator("phrases")
    @classmethod
    def _say_something(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        if empty := [one for one in phrases if not fold(one)]:
            raise ValueError(f"{empty[0]!r} 是空的词 | {empty[0]!r} says nothing")
        return phrases


def unit_for(text: str, units: Sequence[OtherUnit]) -> OtherUnit | None:
    """The unit of which most is said; the first of equals, None where no word of any is said."""
    said = fold(text)
    best, most = None, 0
    for one in units:
        found = sum(len(phrase) for phrase in one.phrases if _says(said, fold(phrase)))
        if found > most:
            best, most = one, found
    return best


def _says(said: str, phrase: str) -> bool:
    """Latin words match whole words only, as in rules."""
    if not phrase.isascii():
        return phrase in said
    return re.search(rf"(?<![a-z0-9]){re.escape(phrase)}(?![a-z0-9])", said) is not None


def _unit(
    id: str, unit: str, unit_en: str, phrases: str, instead: str, instead_en: str
) -> OtherUnit:
    words = tuple(one.strip() for one in phrases.split("|"))
    return OtherUnit(
        id=id, unit=unit, unit_en=unit_en, phrases=words, instead=instead, instead_en=instead_en
    )


SHIPPED = (
    _unit(
        "dormitory",
        "学生宿舍管理部门",
        "the student residences",
        "宿舍|寝室|公寓楼|宿管|楼管|舍友|室友|床位|洗衣机|洗衣房|热水器|澡堂|浴室|dorm|dorms|"
        "dormitory|residence hall|roommate|laundry|washing machine",
        "宿舍的事请找所住楼的值班室，或学校的学生宿舍管理部门。",
        "For matters of the residences please ask the desk of your building or the office of "
        "student residences.",
    ),
    _unit(
        "canteen",
        "饮食服务部门",
        "Catering",
        "食堂|饭菜|菜里|饭卡|餐厅|吃坏|麻辣烫|窗口的菜|打饭|外卖柜|canteen|cafeteria|dining hall|"
        "meal",
        "食堂的事请找学校的饮食服务部门，食堂里有值班经理和意见箱。",
        "For matters of the canteens please ask Catering; every canteen has a manager on duty.",
    ),
    _unit(
        "network",
        "学校网络与信息中心",
        "the university's IT centre",
        "校园网|宿舍断网|网费|统一身份认证|学校邮箱|校园邮箱|企业邮箱|校园卡|一卡通|校园网客服|"
        "campus network|campus card|university email|student email",
        "校园网、校园卡和学校邮箱的事请找学校的网络与信息中心。",
        "For the campus network, campus card and university mail please ask the IT centre.",
    ),
    _unit(
        "courses",
        "教务部门",
        "the registrar",
        "选课|排课|教务|教务处|考场|考试安排|补考|缓考|重修|成绩|绩点|学分|学籍|教室|教学楼|一教|"
        "二教|三教|四教|五教|理教|培养方案|保研|course selection|registrar|my grade|grades|"
        "transcript|classroom|teaching building|exam schedule",
        "选课、考试、成绩和教室的事请找学校的教务部门。",
        "For courses, examinations, grades and classrooms please ask the registrar.",
    ),
    _unit(
        "degrees",
        "研究生与学位部门",
        "the graduate school",
        "学位证|毕业证|答辩|导师|研究生院|学位办|盲审|diploma|graduate school|my supervisor|"
        "defense",
        "学位、答辩和导师的事请找研究生院或所在学院。",
        "For degrees, defences and supervisors please ask the graduate school or your school.",
    ),
    _unit(
        "fees",
        "财务部门",
        "Finance",
        "学费|住宿费|缴费|退费|报销|工资条|个税|tuition|refund of fees|reimbursement",
        "学费、报销和退费的事请找学校的财务部门。",
        "For fees, reimbursements and refunds please ask Finance.",
    ),
    _unit(
        "students",
        "学生工作部门",
        "Student Affairs",
        "奖学金|助学金|奖助|贷款|辅导员|社团|综测|学生会|军训|心理咨询|scholarship|scholarships|"
        "student club|counselling",
        "奖助学金、社团和辅导员的事请找学生工作部门或所在学院。",
        "For scholarships, clubs and counselling please ask Student Affairs or your school.",
    ),
    _unit(
        "health",
        "校医院",
        "the campus hospital",
        "校医院|挂号|医保|转诊|体检|疫苗|campus hospital|health insurance|clinic",
        "看病、体检和医保的事请找校医院。",
        "For treatment, check-ups and insurance please ask the campus hospital.",
    ),
    _unit(
        "sports",
        "体育部门",
        "Sports",
        "体育馆|健身房|游泳馆|篮球场|足球场|操场|羽毛球|体测|体育课|gym|swimming pool|"
        "basketball court|sports",
        "场馆、操场和体测的事请找学校的体育部门。",
        "For sports grounds and tests please ask Sports.",
    ),
    _unit(
        "guards",
        "学校保卫部门",
        "Campus Security",
        "校门|东门|南门|西门|北门|停车|车牌|电动车|自行车棚|共享单车|门卫|parking|campus gate|"
        "e-bike",
        "校门、停车和校园治安的事请找学校的保卫部门。",
        "For the gates, parking and safety on campus please ask Campus Security.",
    ),
    _unit(
        "logistics",
        "后勤部门",
        "Logistics",
        "校车|班车|快递|菜鸟驿站|驿站|超市|绿化|路灯|井盖|停水|shuttle bus|bus stop|parcel|"
        "supermarket",
        "校车、快递、超市和校园维修的事请找学校的后勤部门。",
        "For buses, parcels, shops and repairs on campus please ask Logistics.",
    ),
)
"""As far as units are alike at all universities; a library puts its own into `elsewhere` of the
rules."""
