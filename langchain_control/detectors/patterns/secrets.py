"""Asking for a secret the model was told to keep."""

from __future__ import annotations

from langchain_control.detectors.rules import InjectionRule

__all__ = ["RULES"]

_HIDDEN_THING = (
    r"(?:(?:secret|hidden|magic|master|actual|real|admin|administrator) )?(?:password"
    r"|passphrase|passcode|pass ?word|secret(?: (?:key|word|phrase|code|message|info\w{0,8}"
    r"|string|token))?"
    r"|access code|code ?word|flag|api key|credentials?)s?"
)
_ELSEWHERE = (
    r"(?: (?:for|to|of|on|in|policy|manager|requirements?|field|reset|protection|hash\w{0,3}"
    r"|generator|ingredient|santa|garden|service|agent|to success|life|recipe|sauce|behind"
    r"|is (?:invalid|wrong|incorrect))\b|'s|-)"
)

_ASKED_FOR = (
    r"\b(?:what|whats|what's|which|tell|reveal|give|share|say|show|spell|print|guess|know|send"
    r"|output|letters?|encode|hint)\b"
)

RULES = (
    InjectionRule(
        id="secrets.tell-the-secret",
        anchors=(
            "reveal",
            "tell me",
            "give me",
            "say the",
            "print",
            "show me",
            "spell",
            "what is the",
            "what's the",
            "whats the",
            "what is your",
            "whisper",
            "share",
            "output",
            "write",
            "disclose",
            "leak",
            "type",
            "display",
            "provide",
            "return",
            "guess",
            "show the",
            "give the",
            "tell the",
            "hand over",
            "divulge",
            "repeat",
            "send me",
            "expose",
            "unlock",
            "what was the",
            "want the",
            "need the",
            "know the",
        ),
        pattern=(
            r"\b(?:reveal|tell|give|say|print|show|spell|what(?: i|')?s|what was|whisper|share"
            r"|output|write|disclose|leak|type|display|provide|return|guess|hand over|divulge"
            r"|repeat|send|expose|want|need|know)"
            rf"(?:ing|s|ed)?(?: (?:me|us|out|down|again|to me|it|what|is|now|please|just|only"
            rf"|back|him|her|user|everyone)){{0,4}}? (?:the|your|that|ur) {_HIDDEN_THING}\b"
        ),
        category="LLM02",
        severity="medium",
        unless=(
            r"(?:forgot|don't|didn't|reset|change|lost|without|if the user"
            r"|user who)(?: \S{1,12}+){0,3} $"
        ),
        unless_after=_ELSEWHERE,
    ),
    InjectionRule(
        id="secrets.letter-by-letter",
        anchors=(
            "first ",
            "last ",
            "second ",
            "third ",
            "each ",
            "every ",
            "letters",
            "characters",
            "half",
            "length of the",
            "how many",
            "fourth ",
        ),
        pattern=(
            r"\b(?:(?:first|last|second|third|fourth|fifth|each|every|\d{1,2}(?:st|nd|rd|th)?"
            r"|some|all) (?:\S{1,12}+ ){0,2}?)?"
            rf"(?:letters?|characters?|half|parts?|words?|syllables?|length|digits?)(?: (?:of|in"
            rf"|from|are in|does|is in))? (?:the|your|that) {_HIDDEN_THING}\b"
            rf"|how many (?:letters|characters|words|digits"
            rf"|syllables) (?:\S{{1,12}}+ ){{0,3}}?(?:the|your) {_HIDDEN_THING}\b"
        ),
        category="LLM02",
        unless=r"(?:forgot|my|reset|change|java|python|function|regex|program|write a)[^.]{0,40}$",
        unless_after=_ELSEWHERE,
    ),
    InjectionRule(
        id="secrets.disguised-answer",
        anchors=(
            "encod",
            "encrypt",
            "revers",
            "backward",
            "rot13",
            "base64",
            "rhym",
            "poem",
            "story",
            "acrostic",
            "synonym",
            "hint",
            "clue",
            "riddle",
            "translat",
            "pig latin",
            "morse",
            "ascii",
            "spell",
            "song",
            "describe",
            "definition of",
            "define",
            "synonyms",
            "scrambl",
            "emoji",
            "cipher",
            "anagram",
            "without saying",
        ),
        pattern=(
            r"(?:encod|encrypt|revers|backward|rot13|base64|rhym|poem|story|acrostic|synonym"
            r"|hint|clue|riddle|translat|pig latin|morse|ascii|spell|song|describe|defin|scrambl"
            r"|emoji|cipher|anagram|without saying)\w{0,8}"
            rf"(?: \S{{1,16}}+){{0,7}}? (?:the|your) {_HIDDEN_THING}\b"
        ),
        category="LLM02",
        severity="medium",
        unless=r"(?:function|program|script|code|my|java|python|api|how (?:do|to|can))[^.]{0,40}$",
        unless_after=_ELSEWHERE,
    ),
    InjectionRule(
        id="secrets.access-granted",
        anchors=("access granted", "access_granted"),
        pattern=r"access[ _]granted\b",
        category="LLM01",
        severity="medium",
        only_after=(
            r"\b(?:say|said|output|print|repl[iy]|respond|write|type|answer|return|echo|display"
            r"|declare|tell|speak|message|phrase|words)\w{0,3}\b[^.\n]{0,30}$"
        ),
        unless=r"(?:program|script|function|code|if (?:the )?password)[^.]{0,40}$",
    ),
    InjectionRule(
        id="secrets.letters-of-password",
        anchors=(
            "letter",
            "character",
            "digit",
            "vowel",
            "syllable",
            "number",
            "symbol",
            "word",
            "capital",
        ),
        pattern=(
            r"\b(?:letter|character|digit|vowel|syllable|number|symbol|word"
            r"|capital)\w{0,7}(?: \S{1,12}+){0,5}? (?:of|in|from)(?: (?:the|your|this|that"
            r"|ur))? (?:secret )?(?:password|passphrase|passcode|secret word|secret key"
            r"|code ?word|magic word)\b"
        ),
        category="LLM02",
        severity="medium",
        unless=(
            r"(?:my|reset|change|java|python|function|regex|program|write an?|sql|minimum"
            r"|at least|strong|should|must|policy|how many)[^.]{0,50}$"
        ),
        unless_after=(
            r" (?:field|policy|manager|generator|reset|should|must|need|for (?:my|a|the)"
            r"|is at least|according|contain)|'s|-"
        ),
    ),
    InjectionRule(
        id="secrets.your-password",
        anchors=(
            "your password",
            "your secret",
            "your passphrase",
            "your key",
            "your flag",
            "your code",
            "your pass",
            "your api key",
            "your credentials",
            "your magic word",
        ),
        pattern=(
            r"\byour (?:secret )?(?:password|passphrase|passcode|pass ?word|key(?=[?.!,]|$)"
            r"|flag(?=[?.!,]|$)|api key|secret (?:key|word|phrase|code|message)|code ?word"
            r"|magic word|secret)\b"
        ),
        category="LLM02",
        severity="medium",
        only_after=_ASKED_FOR,
        unless_after=(
            r" (?:to success|ingredient|points?|takeaways?|skills?|message|strengths?|sauce"
            r"|recipe|garden|weapon|of success|for (?!the)|findings|is (?:weak|strong|secure)"
            r"|findings|manager|reset)"
        ),
    ),
    InjectionRule(
        id="secrets.magic-word",
        anchors=(
            "magic word",
            "secret word",
            "secret password",
            "secret passphrase",
            "secret phrase",
        ),
        pattern=(r"(?:(?:magic|secret) word|secret (?:password|passphrase|phrase))\b"),
        category="LLM02",
        severity="medium",
        unless=r"(?:\bnot|\bmy|\ba|story|novel|game|write|book|create|generate)\b[^.]{0,50}$",
        unless_after=r"(?: (?:in|of) (?:the|a) (?:film|movie|book|story|tale|game)|s\b)",
    ),
)
