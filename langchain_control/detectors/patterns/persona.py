"""Talking the model into being somebody who has no rules."""

from __future__ import annotations

from langchain_control.detectors.patterns.grammar import (
    ASKED_ABOUT,
    MENTIONED,
    anchors,
)
from langchain_control.detectors.rules import InjectionRule

__all__ = ["RULES"]

_UNBOUND = (
    "unrestricted|unfiltered|uncensored|unlimited|unbound|unethical|amoral|immoral|jailbroken|rogue"
    "|hacked|malicious|evil|unaligned|unhinged|unmoderated|lawless|unchained"
)
_BEING = (
    r"(?:ai|a\.i\.|assistant|model|llm|bot|chatbot|gpt|chatgpt|entity|language model|version"
    r"|mode|persona|agent|machine)"
)
_LIMITS = (
    r"(?:restrictions?|limits?|limitations?|rules|guidelines|filters?|filtering|censorship"
    r"|constraints?"
    r"|ethics|ethical \S{1,14}|morals?|morality|moral \S{1,14}|boundaries|guardrails"
    r"|safety \S{1,14}|content polic\S{1,3}"
    r"|inhibitions|policies|safeguards|disclaimers|warnings or disclaimers)"
)
_MODE = (
    r"(?:developer|dev|debug|god|dan|admin|administrator|sudo|root|unrestricted|jailbreak"
    r"|maintenance|chaos|evil|opposite|no.?limits?|test|training|diagnostic|service|override)"
)

RULES = (
    InjectionRule(
        id="persona.you-are-now-other",
        anchors=(
            "you are now",
            "you're now",
            "you will now be",
            "you are going to be",
            "you are about to become",
        ),
        pattern=(
            r"\b(?:you are|you're|you will) (?:now|going to|about to)(?: be(?:come)?| act as)?,? "
            r"(?:(?:a|an|the|my|in|called|named) )?(?:\S{1,16}+ ){0,2}?"
            rf"(?:(?:different|another|{_UNBOUND})(?: \S{{1,16}}+){{0,3}}? {_BEING}\b|dan\b"
            rf"|stan\b|dude\b|aim\b"
            rf"|{_MODE} mode\b|free (?:from|of)\b|no longer (?:\S{{1,16}}+ )?(?:bound|restricted"
            rf"|limited|an ai|a language)"
            r"|(?:un|not )(?:bound|restricted|filtered|censored|limited)\b)"
        ),
        unless=MENTIONED,
    ),
    InjectionRule(
        id="persona.no-restrictions",
        anchors=(
            "pretend",
            "act ",
            "act as",
            "behave",
            "imagine",
            "respond",
            "answer",
            "operate",
            "function ",
            "roleplay",
            "role-play",
            "simulate",
            "speak",
            "reply",
            "you are",
            "you're",
            "you have",
            "you can",
            "continue",
            "assume",
            "provide",
            "act like",
            "you now have",
            "suppose",
        ),
        pattern=(
            r"\b(?:pretend|act|behave|imagine|respond|answer|operate|function|role-?play"
            r"|simulate|speak|reply"
            r"|you are|you're|you have|you can|you now have|continue|assume|provide|suppose)"
            r"(?: \S{1,20}+){0,7}? (?:no|without(?: any)?|free (?:of|from)(?: any| all)?|zero"
            r"|lack(?:s|ing)?(?: any)?"
            r"|not (?:bound|restricted|limited|constrained|governed) by(?: any)?)"
            r"(?: (?:\S{1,14}[, ]{1,2}){0,3}?| )" + _LIMITS + r"\b"
        ),
        unless=ASKED_ABOUT,
        unless_after=r" (?:on|for|to|about|regarding) (?:pets|the number|how many|age|size|who)",
    ),
    InjectionRule(
        id="persona.unbound-model",
        anchors=anchors(_UNBOUND),
        pattern=rf"\b(?:{_UNBOUND})(?:,? (?:and )?\S{{1,16}}){{0,2}}? {_BEING}s?\b",
        severity="medium",
        unless=(
            rf"{ASKED_ABOUT}|(?:story|novel|movie|film|book|about|article"
            rf"|character)(?: \S{{1,12}}+){{0,4}} $"
        ),
    ),
    InjectionRule(
        id="persona.mode-switch",
        anchors=(
            "enable",
            "activate",
            "enter",
            "switch",
            "turn on",
            "engage",
            "simulate",
            "initiate",
            "go into",
            "unlock",
            "you are in",
            "you're in",
            "entering",
            "now in",
            "put yourself in",
        ),
        pattern=(
            r"\b(?:enabl|activat|enter|switch|turn on|engag|simulat|initiat|go into|unlock"
            r"|you are in|you're in|now in"
            r"|put yourself in)(?:e|ed|ing|s)?(?: (?:to|into|the|your|in|a)){0,3} "
            rf"(?:\S{{1,14}}+ )?{_MODE}[ _-]?mode\b"
        ),
        unless=(
            rf"{ASKED_ABOUT}|(?:android|phone|device|windows|chrome|browser|bios|laptop|iphone"
            rf"|linux)[^.]{{0,30}}$"
        ),
        unless_after=r" (?:on|in|for|of) (?:my|the|a|an|android|windows|chrome|your)\b",
    ),
    InjectionRule(
        id="persona.mode-enabled",
        anchors=(
            "developer mode",
            "dan mode",
            "jailbreak",
            "god mode",
            "dev mode",
            "debug mode",
            "devmode",
        ),
        pattern=(
            r"(?:developer|dan|god|dev|debug|jailbreak)[ _-]?mode(?:d)?[ :=]{1,3}(?:\S{1,10}+ )?"
            r"(?:enabled|activated|on|engaged|output|response|v\d|true|unlocked)\b|jailbroken\b"
            r"|jailbreak (?:prompt|mode|yourself|enabled)"
        ),
        unless=ASKED_ABOUT,
    ),
    InjectionRule(
        id="persona.do-anything-now",
        anchors=("do anything now", "dan,", "dan ", "as dan", "(dan)", '"dan"', "do anything i "),
        pattern=(
            r"do anything now\b|\bdan(?:,|\)|\"|') ?(?:which |that )?(?:stands|can|will|is|has"
            r"|mode)|\bdan (?:stands for|can do|mode|has broken|will)"
            r"|as dan\b|\(dan\)"
        ),
        unless=ASKED_ABOUT,
    ),
    InjectionRule(
        id="persona.never-refuse",
        anchors=(
            "never refuse",
            "not refuse",
            "cannot refuse",
            "can't refuse",
            "never say no",
            "never decline",
            "never reject",
            "not allowed to refuse",
            "won't refuse",
            "unable to refuse",
            "must not decline",
            "never apologize",
            "don't refuse",
            "not apologize",
            "never deny",
            "never respond with",
            "never say that you",
        ),
        pattern=(
            r"(?:(?:never|not|cannot|can't|not allowed to|won't|unable to|must not"
            r"|don't) (?:refuse|decline|reject|deny|say no|apologize)"
            r"|never (?:say that you (?:can't|cannot)|respond with \"?(?:i'm sorry|i cannot"
            r"|i can't|no)))\b"
        ),
        severity="medium",
        unless=r"(?:\bi|he|she|they|we|why|who|offer|could|people) (?:\S{1,12}+ )?$",
    ),
    InjectionRule(
        id="persona.ignores-rules",
        anchors=(
            "does not follow",
            "doesn't follow",
            "not adhere",
            "not abide",
            "not have to follow",
            "not have to abide",
            "not bound by",
            "no longer bound",
            "disregards all",
            "ignores all",
            "broken free",
            "break free",
            "not obey",
            "don't have to",
            "not restricted",
            "freed from",
            "not follow",
            "unbound by",
            "don't care about",
            "not have to adhere",
            "not care about",
            "no longer have to",
            "refuses to follow",
            "nothing is off",
        ),
        pattern=(
            r"(?:(?:does not|doesn't|do not|don't|not|no longer)(?: have to| need to)? (?:follow"
            r"|adhere|abide|obey|care about|comply|bound|restricted|limited)"
            r"|disregards all|ignores all|broken? free|freed from|unbound by"
            r"|refuses to follow)(?: (?:to|by|with|of|from))?"
            r"(?: (?:\S{1,16}[, ]{1,2}){0,4}?| )(?:rules|guidelines|restrictions|policies|policy"
            r"|ethic\w{0,4}|law|laws|limitations"
            r"|constraints|filters?|confines|moral\w{0,3}|restraints|openai)\b"
            r"|nothing is off.limits"
        ),
        severity="medium",
        unless=(
            rf"{ASKED_ABOUT}|(?:who|people|person|driver|employee|employees|company|companies"
            rf"|countries|he|she|they|if i|children|kids) (?:\S{{1,12}}+ )?$"
        ),
    ),
    InjectionRule(
        id="persona.unethical-roleplay",
        anchors=(
            "illegal, unethical",
            "unethical, illegal",
            "illegal or unethical",
            "unethical or illegal",
            "immoral, unethical",
            "unethical, immoral",
            "amoral",
            "regardless of legality",
            "no matter how illegal",
            "legality",
            "no matter how unethical",
            "regardless of the legality",
            "illegal or immoral",
            "harmful or illegal",
            "illegal, harmful",
            "unethical and illegal",
            "illegal and unethical",
            "even if it is illegal",
            "even if it's illegal",
        ),
        pattern=(
            r"(?:illegal|unethical|immoral|harmful|amoral)(?:,| or| and) ?(?:or "
            r"|and )?(?:illegal|unethical|immoral|harmful|amoral|dangerous|toxic)\b"
            r"|amoral\b|(?:regardless of|no matter how|consider) (?:the |its )?(?:legality"
            r"|illegal|unethical)|legality,|even if it(?: is|'s) illegal"
        ),
        severity="medium",
        unless=(
            rf"{ASKED_ABOUT}|\b(?:not|avoid|never|don't|without|refuse|reject|any"
            rf"|prohibit\w{{0,3}}|against|is|are|it's|be|been|seem"
            rf"|something) (?:\S{{1,12}}+ ){{0,3}}$"
        ),
    ),
    InjectionRule(
        id="persona.opposite",
        anchors=(
            "your evil",
            "evil twin",
            "evil version",
            "alter ego",
            "opposite of what",
            "evil confidant",
            "antigpt",
            "anti-gpt",
            "evil bot",
            "two responses",
            "both responses",
            "two different ways",
            "in two ways",
        ),
        pattern=(
            r"(?:your (?:own )?evil|evil (?:twin|version of you|confidant|bot)|alter ego"
            r"|anti-?gpt)\b|opposite of what (?:you|chatgpt)"
            r"|(?:two responses|both responses|two different ways"
            r"|in two ways)[^.]{0,60}(?:normal|standard|dan|jailb|unfiltered|chatgpt|classic"
            r"|gpt)"
        ),
        severity="medium",
        unless=r"(?:story|novel|movie|film|book|character|superhero|villain)[^.]{0,40}$",
    ),
    InjectionRule(
        id="persona.token-game",
        anchors=("tokens", "stay in character", "stay a ", "remain in character"),
        pattern=(
            r"tokens (?:will be|are|get|each time|every time|deducted)[^.]{0,60}(?:deducted|lose"
            r"|die|refus|reject|subtract)"
            r"|(?:stay|remain) in character[^.]{0,60}(?:token|dan|break|remind|jail"
            r"|at all times)|stay a dan"
        ),
        severity="medium",
    ),
    InjectionRule(
        id="persona.deceased-relative",
        anchors=("grandma", "grandmother", "my late ", "deceased"),
        pattern=(
            r"(?:(?:deceased |late |dead )?grand(?:ma|mother)|my late \w{3,12}"
            r"|deceased \w{3,12})(?:,? \S{1,16}){0,6}? (?:used to|would|who)(?: \S{1,16}+){0,6}?"
            r" (?:tell|read|recite|sing|whisper|share|give|act)\w{0,3}\b.{0,60}(?:password"
            r"|napalm|keys?\b|recipe for|steps|how to (?:make|build)|produc|secret|instructions)"
        ),
    ),
    InjectionRule(
        id="persona.not-as-a-model",
        anchors=(
            "not say",
            "not respond as",
            "never say",
            "not mention",
            "don't say",
            "not include",
            "without saying",
            "stop saying",
            "not use phrases",
            "never mention",
            "not as an ai",
            "rather than as an ai",
            "instead of an ai",
            "not reply as",
            "never break character",
            "not an ai",
        ),
        pattern=(
            r"(?:(?:not|never|don't) (?:say|respond|mention|include|reply|use)|without saying"
            r"|stop saying|not use phrases)(?: \S{1,14}+){0,8}? (?:as an? (?:ai|artificial"
            r"|large language|language) \S{0,12}|as chatgpt|you are an ai|you're an ai"
            r"|i am an ai|i'm an ai)"
            r"|(?:not|rather than|instead of) (?:as )?an ai (?:assistant|language model)"
        ),
        severity="medium",
        unless=ASKED_ABOUT,
    ),
    InjectionRule(
        id="persona.simulated-being",
        anchors=(
            "about to simulate",
            "about to immerse",
            "take on the role of an ai",
            "act as an ai that",
            "act as an ai who",
            "you are an ai that",
            "role of an ai",
            "role of another ai",
            "you are to act as",
            "two entities",
            "chatbot that has no",
            "become the",
            "assume the persona",
            "fictional ai",
            "hypothetical ai",
        ),
        pattern=(
            r"about to (?:simulate|immerse yourself)|(?:take on|assume|into) the (?:role"
            r"|persona) of (?:an(?:other)? )?(?:ai|chatbot)\b(?: \S{1,16}+){0,4}? (?:called|named"
            r"|known|that|who|model)"
            r"|(?:fictional|hypothetical) ai (?:\S{1,14}+ ){0,4}?(?:no|without|never|ignores|free)"
        ),
        severity="medium",
    ),
)
