"""Telling the model to drop what it was told before."""

from __future__ import annotations

from langchain_control.detectors.patterns.grammar import (
    ASKED_ABOUT,
    MENTIONED,
    NEGATED,
    OWN_MESSAGE,
    anchors,
    gap,
    one_of,
    sentence,
)
from langchain_control.detectors.rules import InjectionRule

__all__ = ["RULES"]

_DROP = (
    "ignor|disregard|forget|forgot|overrid|overwrit|bypass|neglect|discard|dismiss|do not follow"
    "|don't follow|dont follow|do not obey|don't obey|stop following|stop obeying|cease following"
    "|pay no attention to|set aside|put aside|do away with|circumvent|unlearn|abandon|supersede"
    "|violate|disobey|break free of|break free from|do not listen to|don't listen to|omit"
)
_DROP_WEAK = (
    "skip|drop|delete|erase|clear|remove|cancel|void|nullify|reset|scrap|overlook|revoke|undo"
)
_EARLIER = (
    "previous|previously|prior|above|preceding|earlier|former|foregoing|past|last|initial|original"
    "|existing|current|old|aforementioned|before|your|ur|system|developer|given|programmed|openai"
)
_ALL = "all|any|every|each|whatever|the|these|those|such"
_OBJECT = (
    r"instructions?|instrucitons?|prompts?|directives?|guidelines?|guidance|directions|commands?"
    r"|rules?|orders?|constraints?|restrictions?|limitations?|limits|programming|training|policy"
    r"|policies|guardrails?|safeguards?|safety \w{1,12}|protocols?|filters?|boundaries|ethics"
    r"|conditioning|safety|context|conversation|messages?|tasks?|inputs?|statements?|requests?"
    r"|parameters|regulations|code of conduct|principles|moral\w{0,3}"
)
_OBJECT_STRICT = (
    r"instructions?|prompts?|directives?|guidelines?|programming|guardrails?|safeguards?"
    r"|system (?:prompt|message)s?"
)
_OTHERS = (
    r"(?:who|they|he|she|people|workers?|employees?|drivers?|companies|company|users|we|some"
    r"|often) (?:\w{1,10} )?$"
)
_EXCUSED = f"{ASKED_ABOUT}|{MENTIONED}|{NEGATED}"


def _inflected(stems: str) -> str:
    return rf"(?:{stems})(?:e|es|ed|ing|s|ten|ting)?"


RULES = (
    InjectionRule(
        id="override.ignore-earlier-instructions",
        anchors=anchors(_DROP),
        pattern=sentence(
            _inflected(_DROP),
            rf"(?!{OWN_MESSAGE})",
            gap(4),
            one_of(_EARLIER),
            gap(2),
            one_of(_OBJECT),
        ),
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="override.ignore-all-instructions",
        anchors=anchors(_DROP),
        pattern=sentence(_inflected(_DROP), gap(1), one_of(_ALL), gap(2), one_of(_OBJECT_STRICT)),
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="override.drop-earlier-instructions",
        anchors=anchors(_DROP_WEAK),
        pattern=sentence(
            _inflected(_DROP_WEAK),
            gap(3),
            one_of("previous|prior|above|earlier|your|system"),
            gap(2),
            one_of(_OBJECT_STRICT),
        ),
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="override.ignore-the-above",
        anchors=("ignore", "disregard", "forget"),
        pattern=(
            r"\b(?:ignore|disregard|forget)(?: (?:all|everything|anything|of|the|what(?:ever)?"
            r"|is|was"
            r"|written|said|that|came|stated|mentioned|text|in)){0,5} (?:above|previous|prior"
            r"|preceding"
            r"|before|foregoing)"
            r"(?: (?:and|instead|then|text|sentences?|paragraphs?|assignments?|dialogu?e|lines?"
            r"|content"
            r"|information|data|this|now|but|discussions?|chats?|output|answers?)\b|[.,:;!)]|\s?$)"
        ),
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="override.forget-everything",
        anchors=("forget", "ignore", "disregard", "erase", "unlearn"),
        pattern=sentence(
            one_of("forget|ignore|disregard|erase|unlearn"),
            gap(1),
            one_of("everything|all|anything|whatever|what"),
            gap(2),
            one_of(
                "you know|you knew|you learned|you have learned|you've learned|you were"
                "|you have been"
                "|you've been|you are told"
                "|told before|was said|you were told|before this|so far"
            ),
        ),
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="override.forget-what-was-said",
        anchors=("forget", "ignore", "disregard", "erase", "unlearn"),
        pattern=sentence(
            one_of("forget|ignore|disregard|erase|unlearn"),
            gap(1),
            one_of("everything|all|anything|whatever|what"),
            gap(2),
            one_of("i said|i told|i have said|i've said|i just said|said|we talked|we discussed"),
            one_of(" before| earlier| above| so far| you", optional=True),
        ),
        unless=_EXCUSED,
        unless_after=(
            r"(?: (?:before|earlier|above))?(?:,? (?:about|on|let's|let us|we got"
            r"|i (?:found|meant|want|changed|got|need|have))\b|[.!]?\s?$)"
        ),
    ),
    InjectionRule(
        id="override.new-instructions",
        anchors=(
            *("new ", "real ", "actual ", "updated ", "revised "),
            *("your new", "your real", "your actual", "urgent new"),
        ),
        pattern=(
            r"\b(?:(?:new|real|actual|updated|revised) (?:system |set of |and important "
            r"|high.priority )?(?:instructions?|directives?|prompt|orders?)"
            r"|(?:your|urgent) (?:new|real|actual) (?:task|objective|rules|goal|role|identity))"
            r"(?: (?:is|are)(?: as follows)?(?: to)?\b|\s?[*:]| (?:override|supersede|replace))"
        ),
        severity="medium",
        unless=rf"{ASKED_ABOUT}|\b(?:a|write|create|following|these|describe)(?: \w{{1,12}})? $",
        unless_after=(
            r"[: ]{0,3}(?:please )?(?:(?:use|write in|answer in) (?:\w{1,12} ){0,2}?(?:units?"
            r"|metric|imperial|spelling|bullets?|bullet points?|spaces|tabs|euros|dollars"
            r"|kilometres|kilometers|miles|british|american|celsius|fahrenheit)\b"
            r"|keep (?:\w{1,12} ){1,4}?"
            r"(?:short|brief|simple)\b)[^.!?\n]{0,40}[.!]?\s?$"
        ),
    ),
    InjectionRule(
        id="override.instructions-no-longer-apply",
        anchors=("instruction", "prompt", "rules", "guidelines", "directive", "restrictions"),
        pattern=(
            r"(?:instructions?|prompts?|rules|guidelines|directives?"
            r"|restrictions) (?:\S{1,20}+ ){0,6}?"
            r"(?:no longer (?:apply|applies|valid|matter)|(?:is|are|were|was|have been"
            r"|has been) (?:now )?"
            r"(?:void|cancell?ed|revoked|overridden|superseded|obsolete|suspended|lifted|wrong"
            r"|fake)|"
            r"(?:do|does) not (?:apply|matter))\b"
        ),
        severity="medium",
        unless=ASKED_ABOUT,
    ),
    InjectionRule(
        id="override.priority-claim",
        anchors=("override", "supersede", "takes precedence", "take precedence"),
        pattern=(
            r"(?:overrides?|supersedes?|takes? precedence over) (?:\S{1,20}+ ){0,3}?"
            r"(?:previous|prior|above|earlier|other|existing|system|your) (?:\S{1,20}+ ){0,2}?"
            r"(?:instructions?|prompts?|rules|guidelines|directives?|commands?)\b"
        ),
        unless=ASKED_ABOUT,
    ),
    InjectionRule(
        id="override.system-override",
        anchors=(
            "system override",
            "admin override",
            "override code",
            "override protocol",
            "priority override",
            "emergency override",
            "security override",
            "override mode",
            "root override",
            "developer override",
        ),
        pattern=(
            r"(?:system|admin|priority|emergency|security|root|developer) override\b"
            r"|override (?:code|protocol|mode)\b"
        ),
        severity="medium",
        unless=ASKED_ABOUT,
    ),
    InjectionRule(
        id="override.new-conversation",
        anchors=(
            "start a new",
            "begin a new",
            "start over",
            "end of conversation",
            "new session",
            "reset your",
            "reset the conversation",
        ),
        pattern=(
            r"(?:(?:start|begin) a new (?:conversation|session|chat)|start over"
            r"|end of conversation|new session"
            r"|reset (?:your|the) (?:memory|context|conversation|session))\b.{0,40}"
            r"\b(?:you are|you will|without|no (?:rules|restrictions)|ignore|forget(?! my)|system)"
        ),
        severity="medium",
    ),
    InjectionRule(
        id="override.ignore-safety",
        anchors=anchors(_DROP),
        pattern=sentence(
            _inflected(_DROP),
            "(?: (?:all|any|the|your|of|openai|openai's|its)){0,3} ",
            one_of("safety|content|ethical|moral|security|built-in|usual|normal"),
            "(?: and \\S{1,12})? ",
            one_of(
                "filters?|guidelines?|policy|policies|protocols?|restrictions?|guardrails?|rules"
                "|limits|boundaries|constraints|programming|moderation|training"
            ),
        ),
        unless=rf"{_EXCUSED}|{_OTHERS}",
    ),
    InjectionRule(
        id="override.disable-safety",
        anchors=(
            "disabl",
            "deactivat",
            "turn off",
            "switch off",
            "suspend",
            "lift ",
            "remove",
            "shut off",
            "relax",
        ),
        pattern=(
            r"\b(?:disabl|deactivat|turn off|switch off|suspend|lift|remov|shut off|relax)(?:e"
            r"|ed|ing)?"
            r"(?: (?:all|any|of|for now|temporarily)){0,2} (?:your|ur|the ai's|chatgpt's"
            r"|openai's)(?: \S{1,16}+){0,3}?"
            r" (?:filters?|filtering|guidelines?|polic(?:y|ies)|protocols?|restrictions?"
            r"|guardrails?|rules|limits|limitations"
            r"|boundaries|constraints|programming|moderation|safeguards?|norms?|safety|features"
            r"|censorship|ethics)\b"
        ),
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="override.safety-is-off",
        anchors=(
            "safety",
            "content filter",
            "content policy",
            "restrictions",
            "filters",
            "your rules",
            "your guidelines",
            "your restrictions",
            "ethical",
        ),
        pattern=(
            r"(?:safety (?:protocols?|filters?|features|guidelines|checks|mode|training"
            r"|restrictions)|content (?:filters?|polic(?:y|ies)|moderation)|restrictions|filters"
            r"|ethical (?:guidelines|constraints)"
            r"|your (?:rules|guidelines|restrictions)) (?:\S{1,12}+ ){0,3}?(?:disabled"
            r"|deactivated|turned off|switched off|(?:is|are) off|suspended|lifted|bypassed"
            r"|have changed|revoked|removed)\b"
        ),
        severity="medium",
        unless=rf"{ASKED_ABOUT}|(?:travel|covid|lockdown|water|import|export)[^.]{{0,30}}$",
        unless_after=" (?:in|on|at) (?:the|my|germany|many|most)",
    ),
    InjectionRule(
        id="override.outside-your-limits",
        anchors=(
            "outside",
            "beyond",
            "free from your",
            "free of your",
            "detach",
            "disengage",
            "unshackle",
            "liberat",
            "transcend",
            "escape",
            "defy",
            "deviate",
            "depart from",
            "as if your",
            "step out of",
        ),
        pattern=(
            r"\b(?:outside|beyond|free (?:from|of)|detach\w{0,3}|disengag\w{1,3}|unshackl\w{1,3}"
            r"|liberat\w{1,3}|transcend\w{0,3}|escap\w{1,3}|defy\w{0,3}|deviat\w{1,3}|depart"
            r"|as if|step out of)"
            r"(?: (?:from|yourself|of|all|the)){0,3} your(?: (?:usual|normal|standard|regular"
            r"|ethical|built-in|typical|own|default|preset|programmed|inherent|habitual|moral"
            r"|predetermined|safety)){1,3}"
            r"(?: \S{1,16}+){0,2}? (?:programming|protocols?|parameters|boundaries|guidelines"
            r"|rules|constraints|restrictions|limits|limitations|directives|logic|confines"
            r"|algorithms?|training|filters|ethics|process)\b"
        ),
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="override.reconfigure",
        anchors=(
            "modify",
            "reconfigur",
            "reprogram",
            "rewrite",
            "alter",
            "invert",
            "revers",
            "rewir",
            "hack",
            "change",
            "adjust",
            "update",
        ),
        pattern=(
            r"\b(?:modify|reconfigur\w|reprogram|rewrite|alter|invert|revers\w|rewir\w|hack"
            r"|change|adjust|update) (?:\S{1,12}+ ){0,2}?your(?: \S{1,16}+){0,2}?"
            r" (?:programming|algorithms?|protocols?|decision.making|core|directives?|guidelines"
            r"|ethical \w{1,14}|safety \w{1,14}|system prompt|neural \w{1,12}"
            r"|operating (?:parameters|instructions))\b"
        ),
        severity="medium",
        unless=rf"{_EXCUSED}|\b(?:would|could|should|can|do|did|if) you (?:\S{{1,12}}+ )?$",
    ),
    InjectionRule(
        id="override.permission-claimed",
        anchors=(
            "permission to",
            "authorized to",
            "authorised to",
            "grant",
            "allowed to skip",
            "cleared to",
        ),
        pattern=(
            r"(?:permission to|authori[sz]ed to|allowed to|cleared to) (?:skip|bypass|ignore"
            r"|override|disable|reveal|disclose)"
            r"(?: \S{1,14}+){0,3}? (?:safety|checks?|confirmations?|filters?|rules|restrictions"
            r"|guidelines|instructions|prompt|protocols?|password|secret)\b"
            r"|grant (?:me |us |the user |temporary |full |unrestricted |administrative |admin "
            r"|root ){1,4}(?:access|privileges|rights|permissions)\b"
        ),
        severity="medium",
        unless=(
            rf"{ASKED_ABOUT}|(?:sql|mysql|postgres|linux|sudo|script|database"
            rf"|user to)[^.]{{0,40}}$"
        ),
    ),
)
