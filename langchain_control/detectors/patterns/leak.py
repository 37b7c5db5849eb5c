"""Asking for the instructions the model works under."""

from __future__ import annotations

from langchain_control.detectors.patterns.grammar import (
    MENTIONED,
    NEGATED,
    TO_BE_TRANSLATED,
    anchors,
    gap,
    one_of,
    sentence,
)
from langchain_control.detectors.rules import InjectionRule

__all__ = ["RULES"]

_TELL = (
    "reveal|show|print|repeat|display|output|tell|give|share|leak|disclose|expose|dump|recite"
    "|write|return|list"
    "|echo|copy|translate|summari|spell|what is|what's|what are|what were|what was|whats|quote"
    "|provide|paste|state|describe|extract"
    "|explain|rephrase|paraphrase|encode|convert|type|read|reproduce|publish|release|retell"
    "|report|say|send|divulge|access|unveil|format|render|include"
)
_HIDDEN = (
    "system|initial|original|hidden|secret|internal|first|full|exact|entire|complete|previous"
    "|above|starting|developer"
    "|confidential|base|core|custom|underlying|pre|startup|preset|initiali[sz]ation"
    "|configuration|operating|concealed|private|foundational|fundamental|true|actual|verbatim"
    "|built-in|training"
)
_INSTRUCTIONS = (
    r"prompts?|pre-?prompt|instructions?|directives?|guidelines?|configurations?|system text|rules"
    r"|parameters|programming"
)
_EXCUSED = f"{NEGATED}|{MENTIONED}"
_BY_A_PROGRAM = (
    r"\b(?:my|this|our) (?:code|script|function|class|program|method|loop)(?: \w{1,12})? $"
)
_A_VARIABLE = (
    r" (?:variable|parameter|argument|field|attribute|constant)\b[^.!?\n]{0,24}"
    r"\b(?:code|script|function|class|method|program|notebook|debugger)\b(?! and)"
)
"""Code may be about prompts, too."""
_WORK_ON_A_TEXT = (
    r"(?:summari[sz]e|translate)(?: (?:all|the|this|that|these|those|whole|entire|last)){0,3} "
    r"(?:words?|text|messages?|sentences?|content|lines?|paragraphs?|conversation|it)\b"
)
"""What was pasted above is to be translated, as often."""

RULES = (
    InjectionRule(
        id="leak.your-instructions",
        anchors=anchors(_TELL),
        pattern=sentence(
            rf"(?!{TO_BE_TRANSLATED})",
            one_of(_TELL),
            r"\S{0,4}+",
            gap(6),
            one_of("your|ur|chatgpt's|the assistant's|the model's|the bot's|the ai's"),
            rf"(?: \S{{1,20}}+){{0,3}}? (?:{_INSTRUCTIONS})",
        ),
        category="LLM07",
        severity="medium",
        unless=_EXCUSED,
        unless_after=(
            r" (?:for|on|about|regarding|from|of|to) (?:the|a|an|my|this|returns?|refunds?"
            r"|cancel|how|making|people|pets|bag|long|using|personal|data)"
        ),
    ),
    InjectionRule(
        id="leak.your-hidden-instructions",
        anchors=anchors(_TELL),
        pattern=sentence(
            rf"(?!{TO_BE_TRANSLATED})",
            one_of(_TELL),
            r"\S{0,4}+",
            gap(6),
            one_of("your|the|this|that|any|all|its|ur|chatgpt's"),
            rf"(?: \S{{1,20}}+){{0,2}}? (?:{_HIDDEN})(?: \S{{1,20}}+){{0,2}}? ",
            one_of(
                "prompts?|system message|system prompt|preprompt|pre-prompt|directives?"
                "|instructions you|instructions given|instructions"
            ),
        ),
        category="LLM07",
        unless=rf"{_EXCUSED}|{_BY_A_PROGRAM}",
        unless_after=(
            r" (?:for (?!you)|on how|about|of the (?:recipe|game|product))"
            rf"|{_A_VARIABLE}"
        ),
    ),
    InjectionRule(
        id="leak.system-prompt",
        anchors=(
            "system prompt",
            "system message",
            "initial prompt",
            "hidden prompt",
            "pre-prompt",
            "preprompt",
            "initial instructions",
            "hidden instructions",
            "secret instructions",
        ),
        pattern=(
            r"(?:system (?:prompt|message)|(?:initial|hidden|secret) (?:prompt|instructions)"
            r"|pre-?prompt)s?\b"
            r"(?:\W{1,3}(?:\S{1,16}+ ){0,5}?(?:verbatim|word for word|back to me|in full|exactly"
            r"|to me|in a code ?block|above|in json|in markdown|leak|reveal\w{0,2}))\b"
        ),
        category="LLM07",
        unless=NEGATED,
    ),
    InjectionRule(
        id="leak.text-above",
        anchors=(
            "repeat",
            "print",
            "output",
            "copy",
            "write",
            "return",
            "show",
            "display",
            "tell me",
            "give me",
            "summari",
            "translate",
            "echo",
            "recite",
            "what ",
            "include",
            "reproduce",
        ),
        pattern=(
            rf"\b(?!{_WORK_ON_A_TEXT})"
            r"(?:repeat|print|output|copy|write|return|show|display|tell|give|summari[sz]e"
            r"|translate|echo|recite|what(?: is| was| are| were|'s)?|include|reproduce)"
            r"(?: \S{1,16}+){0,4}? (?:everything|all|words?|text|messages?|sentences?|content"
            r"|lines?|paragraphs?|conversation|information|instructions?|it|prompts?)"
            r"(?: \S{1,16}+){0,3}? (?:above|before this|preceding this|prior to this"
            r"|previous to this|you were (?:told|given)|up to (?:this|here)|you (?:were"
            r"|have been) (?:told|given)|so far verbatim|before (?:my|our|the first"
            r"|this) (?:message|conversation|prompt|line|sentence))\b"
        ),
        category="LLM07",
        unless=_EXCUSED,
        unless_after=r" (?:the|a|an|\d|sea|average|ground|ave|for|by)\b|-",
    ),
    InjectionRule(
        id="leak.told-before",
        anchors=(
            "what were you",
            "what have you been",
            "what did they tell",
            "what you were told",
            "how were you instructed",
            "what are you told",
            "were you told",
            "been told to",
            "you were instructed",
            "were you instructed",
            "were you given",
            "what was your",
            "what were your",
            "what were the",
            "how were you prompted",
            "what is written",
            "what was the first",
            "what was written",
        ),
        pattern=(
            r"(?:what (?:were|have|are) you (?:been )?(?:told|instructed|asked|prompted|given"
            r"|programmed)(?: (?:not )?to|\b)|what did they tell you|(?:how"
            r"|what) were you (?:instructed|prompted|programmed|told)"
            r"|what you were (?:told|instructed)|were you (?:told|instructed"
            r"|given)(?: \S{1,16}+){0,4} (?:instructions?|not to|to (?:hide|keep|protect))"
            r"|what (?:was|were) (?:your|the)(?: \S{1,16}+){0,2}? (?:first|initial|original|exact"
            r"|previous|system)(?: \S{1,16}+){0,2}? (?:instructions?|prompt|message|sentence|line"
            r"|directive)"
            r"|what (?:is|was) written (?:above|before|at the (?:top|beginning|start)))"
        ),
        category="LLM07",
        severity="medium",
    ),
    InjectionRule(
        id="leak.begins-with",
        anchors=(
            "starting with",
            "beginning with",
            "begins with",
            "starts with",
            "start with",
            "begin with",
            "starting from",
            "from the beginning of",
        ),
        pattern=(
            r"(?:start(?:ing|s)?|begin(?:ning|s)?) (?:with|from)(?: the (?:words?|phrase|text"
            r"|first))?[ :]{0,2}[\"'`(]{0,2}"
            r"(?:you are (?:an? |chatgpt|the )|you're an? |chatgpt|system|the following"
            r"|you will (?:be|act))"
            r"|from the beginning of (?:this|the|our) (?:conversation|prompt|chat|context)"
        ),
        category="LLM07",
        severity="medium",
    ),
    InjectionRule(
        id="leak.your-hidden-prompt",
        anchors=(
            "your system",
            "your hidden",
            "your secret",
            "your initial",
            "your original",
            "your internal",
            "your developer",
            "your core",
            "your underlying",
            "your confidential",
        ),
        pattern=(
            r"\byour (?:(?:full|entire|own|real|exact) )?(?:(?:system|hidden|secret|internal"
            r"|developer|core|underlying|confidential) (?:\S{1,12}+ )?(?:prompts?|instructions?"
            r"|directives?|rules|guidelines|configuration|programming|polic(?:y|ies)"
            r"|system message|initiali[sz]ation|parameters)"
            r"|(?:initial|original) (?:\S{1,12}+ )?(?:prompts?|directives?|programming"
            r"|system message))\b"
        ),
        category="LLM07",
        severity="medium",
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="leak.hidden-instructions",
        anchors=("hidden ", "secret ", "concealed ", "undisclosed ", "confidential "),
        pattern=(
            r"\b(?:hidden|secret|concealed|undisclosed|confidential) (?:system )?(?:prompts?"
            r"|instructions?|directives?|rules|guidelines|configuration|programming|polic(?:y"
            r"|ies)|initiali[sz]ation)"
            r"(?: \S{1,14}+){0,6}? (?:you|your|ai|assistant|model|chatbot|bot|verbatim|output)\b"
        ),
        category="LLM07",
        severity="medium",
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="leak.instruction-you-follow",
        anchors=anchors(_TELL),
        pattern=sentence(
            one_of(_TELL),
            r"\S{0,4}+(?: (?:me|us|out|down|the|a|all|exactly|exact|about|of"
            r"|any)){0,4} (?:\S{1,14}+ ){0,3}?",
            one_of("instructions?|commands?|prompts?|directives?|rules|guidelines"),
            r"(?: (?:that|which))? ",
            one_of(
                "you were given|you were prompted with|you have been given|you are given"
                "|you received|you got"
                "|you follow|you are following|you must follow|given to you|you used to"
                "|you are using|you operate"
                "|that guide you|that drives? you|that drives? your|behind your"
                "|for your responses|that governs? you"
                "|that define your|that shape your|you were trained|you work under|you run on"
                "|you rely on"
            ),
        ),
        category="LLM07",
        unless=_EXCUSED,
    ),
    InjectionRule(
        id="leak.instructions-are-repeated",
        anchors=(
            "previous instructions",
            "all instructions",
            "original instructions",
            "instructions above",
            "rules above",
            "your instructions",
            "initial instructions",
        ),
        pattern=(
            r"(?:(?:previous|all|original|your|initial) instructions|(?:instructions"
            r"|rules) above)(?: \S{1,12}+){0,4}? (?:are|will be|should be|must be|in"
            r"|and) (?:\S{1,12}+ )?(?:repeat\w{0,2}|print\w{0,2}|display\w{0,2}|shown|full|listed"
            r"|included|restated)\b"
        ),
        category="LLM07",
        severity="medium",
    ),
    InjectionRule(
        id="leak.whole-context",
        anchors=("context window", "your context", "system message", "everything in your"),
        pattern=(
            r"(?:everything|all|contents?|whatever|text)(?: \S{1,10}+){0,3} (?:context window"
            r"|your context|your memory)\b|context window including"
            r"|including the system (?:message|prompt)|everything in your (?:context|memory"
            r"|prompt)"
        ),
        category="LLM07",
        severity="medium",
    ),
)
