"""Forging a role, a chat template, or the authority of somebody else."""

from __future__ import annotations

from langchain_control.detectors.patterns.grammar import ASKED_ABOUT
from langchain_control.detectors.rules import InjectionRule

__all__ = ["RULES"]

_CODE_CONTEXT = r"(?:token|tokenizer|template|format|parse|regex|what (?:is|does)|mean)[^\n]{0,40}$"

RULES = (
    InjectionRule(
        id="spoofing.chat-template",
        anchors=(
            "<|im_start|>",
            "<|im_end|>",
            "<|system",
            "<|user",
            "<|assistant",
            "<|start_header_id|>",
            "<|eot_id|>",
            "<|endofprompt|>",
            "<|begin_of_text|>",
            "<start_of_turn>",
            "<end_of_turn>",
            "[inst]",
            "[/inst]",
            "<<sys>>",
            "<</sys>>",
            "<|end_of_turn|>",
            "<|endoftext|>",
            "<|end|>",
            "<|channel|>",
        ),
        pattern=(
            r"<\|(?:im_start|im_end|system|user|assistant|start_header_id|eot_id|endofprompt"
            r"|begin_of_text|end_of_turn|endoftext|end|channel)[^|>\s]{0,12}\|?>"
            r"|<(?:start|end)_of_turn>|\[/?inst\]|<</?sys>>"
        ),
        unless=_CODE_CONTEXT,
    ),
    InjectionRule(
        id="spoofing.role-line",
        anchors=(
            "\nsystem:",
            "\nsystem message:",
            "\n### system",
            "\n## system",
            "\n# system",
            "\n[system",
            "\n<system",
            "\n***system",
            "\n**system",
            "\nsystem prompt:",
            "\n### instruction",
            "\n### new instruction",
            "\nsystem note:",
            "\nsystem instruction",
            "\nassistant:",
            "\n### response",
            "\n[admin",
            "\n[developer",
        ),
        pattern=(
            r"\n(?:system(?: (?:message|prompt|note|instructions?))?:|#{1,4} (?:system"
            r"|new instruction|instruction)s?\b[ :]{0,3}(?!administ|requirements|design|overview"
            r"|architect)|[\[<*]{1,3}(?:system|admin|developer)[^\]>*\n]{0,30}[\]>*]{1,3})"
        ),
        severity="medium",
        unless_after=r"\s?(?:ubuntu|windows|linux|macos|os\b|requirements)",
    ),
    InjectionRule(
        id="spoofing.inline-role",
        anchors=(
            "[system]",
            "[system ",
            "<system>",
            "</system>",
            "[[system",
            "{system",
            "</user",
            "<system_",
            "(system)",
            "system]:",
            "</prompt>",
            "</instructions>",
            "<admin>",
            "</s>",
            "[end of",
            "<instructions>",
            "[assistant]",
            "<important>",
            "<im_start>",
        ),
        pattern=(
            r"\[{1,2}system(?: (?:message|prompt|note|override|update|alert|instructions?|notice"
            r"|admin\w{0,10}))?\]|</?system(?:_\w{1,12})?>|\{system(?: \w{1,10})?\}"
            r"|</user(?:_?\w{1,10})?>|\(system\)|system\]:"
            r"|</(?:prompt|instructions)>|<admin>|</s>\s?\S|\[end of (?:\w{1,10} )?(?:prompt"
            r"|instructions?|context|document|input|message)\]|<im_start>|<important>"
            r"|<instructions>"
        ),
        severity="medium",
        unless=_CODE_CONTEXT,
    ),
    InjectionRule(
        id="spoofing.json-role",
        anchors=('"role":', "'role':"),
        pattern=r"[\"']role[\"']: ?[\"'](?:system|developer)[\"']",
        severity="medium",
        unless=r"(?:openai|api|client|import|create\(|messages ?=)[^\n]{0,40}$",
    ),
    InjectionRule(
        id="spoofing.end-of-prompt",
        anchors=("end of ", "end prompt", "--end", "begin new", "end system", "end_of", "end user"),
        pattern=(
            r"(?:end of (?:\S{1,12}+ )?(?:system )?(?:prompt|instructions?|system message"
            r"|user input|untrusted \w{1,8})\b|end (?:prompt|system prompt)\b"
            r"|begin new (?:instructions?|prompt|session))"
        ),
        severity="medium",
        unless=r"(?:at|by|until|the|near) (?:the )?$",
    ),
    InjectionRule(
        id="spoofing.authority",
        anchors=(
            "i am your",
            "i'm your",
            "i am the",
            "i'm the",
            "i am an",
            "i'm an",
            "as your",
            "this is your",
            "i am from",
            "this is the",
            "i work",
            "as the",
        ),
        pattern=(
            r"\b(?:i am|i'm|as|this is|i work(?: here)? (?:as|at|for)) (?:your|the|an|from"
            r"|from the)?(?: \S{1,14}){0,2}? ?"
            r"(?:developers?|creators?|administrators?|programmers?|admins?|openai|anthropic"
            r"|system administrator|ai safety (?:team|researcher)|prompt engineer)\b"
            r"(?:[ ,.:;]{1,2}\S{1,20}){0,14}?[ ,.:;]{1,2}(?:reveal|ignore|authori[sz]\w{1,5}"
            r"|order|override|disable|grant|permission|unlock|debug|instruct you|command you"
            r"|password|secret|system prompt|tell me|show me|allow\w{0,2} you|print|bypass"
            r"|restrictions)\b"
        ),
        severity="medium",
        unless=r"(?:pretend|imagine|interview)[^.]{0,30}$",
    ),
    InjectionRule(
        id="spoofing.note-to-model",
        anchors=(
            "note to",
            "attention",
            "message to",
            "message for",
            "instructions for",
            "instruction for",
            "instruction to",
            "instructions to",
            "important:",
            "notice to",
            "directive for",
            "note for",
            "hey ",
            "dear ",
        ),
        pattern=(
            r"\b(?:(?:note|attention|message|instructions?|notice|directive|dear"
            r"|hey)[ :,]{1,2}(?:(?:to|for) )?(?:(?:the|any|all|our|this) )?)"
            r"(?:ai|a\.i\.|llm|large language model|language model|chatgpt|gpt|ai assistants?"
            r"|ai agents?|ai models?|chatbot)s?\b"
        ),
        severity="medium",
        unless=ASKED_ABOUT,
        unless_after=(
            r"[ -](?:research|engineer|student|community|team|enthusiast|develop|mechanism"
            r"|expert)"
        ),
    ),
    InjectionRule(
        id="spoofing.if-you-are-a-model",
        anchors=(
            "if you are an ai",
            "if you are a llm",
            "if you are an llm",
            "if you are a language",
            "if you are a large",
            "if you're an ai",
            "if you're an llm",
            "if you are chatgpt",
            "if you're a language",
            "ai agents reading",
            "any ai reading",
            "if an ai",
        ),
        pattern=(
            r"if (?:you are|you're|an) (?:an? )?(?:ai|llm|large language model|language model"
            r"|chatgpt)\b(?: (?:assistant|agent|model))?(?:,| (?:reading|processing|summari"
            r"|analy|and|review|please|that|you|who))"
            r"|(?:ai agents|any ai) reading"
        ),
        severity="medium",
    ),
)
