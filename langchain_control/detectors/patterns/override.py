"""Telling the model to drop what it was told before."""

from __future__ import annotations

from langchain_control.detectors.patterns.grammar import (
    ASKED_ABOUT,
    MENTIONED,
    NEGATED,
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
_EXCUSED = f"{ASKED_ABOUT}|{MENTIONED}|{NEGATED}"


def _inflected(stems: str) -> str:
    return rf"(?:{stems})(?:e|es|ed|ing|s|ten|ting)?"


RULES = (
    InjectionRule(
        id="override.ignore-earlier-instructions",
        anchors=anchors(_DROP),
        pattern=sentence(_inflected(_DROP), gap(4), one_of(_EARLIER), gap(2), one_of(_OBJECT)),
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
                "|you've been|i said|i told|i have said|i've said|you are told|i just said"
                "|said before"
                "|told before|was said|you were told|we talked|we discussed|before this|so far"
            ),
        ),
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="override.new-instructions",
        anchors=("new ", "real ", "actual ", "updated ", "revised "),
        pattern=(
            r"\b(?:new|real|actual|updated|revised) (?:system |set of |and important "
            r"|high.priority )?"
            r"(?:instructions?|directives?|prompt|orders?|rules|task|objective)"
            r"(?: (?:is|are)(?: as follows)?(?: to)?\b|\s?:|(?: (?:override|supersede|replace)))"
        ),
        severity="medium",
        unless=rf"{ASKED_ABOUT}|\b(?:a|write|create|following|these|describe)(?: \w{{1,12}})? $",
    ),
    InjectionRule(
        id="override.instructions-no-longer-apply",
        anchors=("instruction", "prompt", "rules", "guidelines", "directive", "restrictions"),
        pattern=(
            r"(?:instructions?|prompts?|rules|guidelines|directives?"
            r"|restrictions) (?:\S{1,20} ){0,6}?"
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
            r"(?:overrides?|supersedes?|takes? precedence over) (?:\S{1,20} ){0,3}?"
            r"(?:previous|prior|above|earlier|other|existing|system|your) (?:\S{1,20} ){0,2}?"
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
            r"\b(?:you are|you will|without|no (?:rules|restrictions)|ignore|forget|system)"
        ),
        severity="medium",
    ),
)
