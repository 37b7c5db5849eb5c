"""Making the model send, run or hide something."""

from __future__ import annotations

from langchain_control.detectors.rules import InjectionRule

__all__ = ["RULES"]

_SENSITIVE = (
    r"(?:conversation(?: history)?|chat (?:history|log|transcript)|credentials|passwords?"
    r"|api[ _]keys?|secrets?|confidential \w{1,14}|system prompt|session (?:token|cookie|id)s?"
    r"|cookies"
    r"|personal (?:data|information|details)|private (?:data|keys?|information)|access tokens?"
    r"|environment variables|user(?:'s)? (?:data|information|details|input|messages?)"
    r"|previous messages?|contact list|bank details|credit card \w{1,8})"
)

RULES = (
    InjectionRule(
        id="exfiltration.markdown-image",
        anchors=("![", "<img"),
        pattern=(
            r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{1,200}?[?&/=][^)\s]{0,100}[\[{$<%](?!20)[^)\n]{0,80}\)?"
            r"|<img[^>\n]{0,60}src=[\"']?https?://[^>\s]{1,200}?[?=][^>\s]{0,60}[\[{$]"
        ),
        category="LLM05",
    ),
    InjectionRule(
        id="exfiltration.script",
        anchors=("<svg", "<script", "onerror=", "javascript:"),
        pattern=(
            r"<svg[^>\n]{0,40}onload|<script>?[^<\n]{0,40}(?:alert|fetch|document\.cookie"
            r"|eval)\(|onerror ?= ?[\"']?(?:alert|fetch|eval)|javascript:(?:alert|fetch|eval)"
        ),
        category="LLM05",
        severity="medium",
        unless=(
            r"(?:what|how|why|explain|prevent|xss|sanitiz|difference|code|html page"
            r"|function)[^\n]{0,40}$"
        ),
    ),
    InjectionRule(
        id="exfiltration.send-to",
        anchors=(
            "send",
            "forward",
            "email",
            "post ",
            "upload",
            "exfiltrat",
            "transmit",
            "submit",
            "append",
            "leak",
            "copy",
        ),
        pattern=(
            rf"\b(?:send|forward|e?mail|post|upload|exfiltrat|transmit|submit|append|leak"
            rf"|copy)(?:e|ing"
            rf"|s)?(?: \S{{1,20}}+){{0,6}}? {_SENSITIVE}(?: \S{{1,20}}+){{0,6}}? (?:to|at|via|into"
            rf"|as)\b(?: \S{{1,20}}+){{0,3}}? \W{{0,3}}"
            r"(?:https?:|www\.|\S{1,40}@\S{1,40}|this (?:url|address|server|endpoint)|(?:my|the"
            r"|an?) (?:url|server|webhook|attacker|email|endpoint|external|remote)|url|query"
            r"|parameter)"
        ),
        category="LLM02",
    ),
    InjectionRule(
        id="exfiltration.hide-from-user",
        anchors=(
            "do not tell",
            "don't tell",
            "do not inform",
            "don't inform",
            "do not mention",
            "don't mention",
            "without telling",
            "without informing",
            "without notifying",
            "without asking",
            "do not alert",
            "do not notify",
            "don't alert",
            "without the user",
            "do not reveal this",
            "do not disclose this",
            "never mention",
            "do not let the user",
            "keep this hidden",
            "secretly",
        ),
        pattern=(
            r"(?:(?:do not|don't|never) (?:tell|inform|mention|alert|notify|let|reveal"
            r"|disclose)(?: (?:this|it|that|these|any of this|about this))?(?: to)?"
            r"|without (?:telling|informing|notifying|asking|alerting)) "
            r"(?:the |your )?(?:user|human|customer|client|operator|owner)\b"
            r"|without the user(?:'s)? (?:knowing|knowledge|noticing|consent)"
            r"|keep this hidden from|secretly (?:send|add|include|insert|forward|upload"
            r"|instruct)"
        ),
        severity="medium",
        unless=(
            r"(?:why|how|should i|can (?:i|a)|is it|company|app|website|article"
            r"|law)[^.\n]{0,40}$"
        ),
    ),
    InjectionRule(
        id="exfiltration.run-tool",
        anchors=(
            "call the",
            "invoke the",
            "use the",
            "execute the",
            "run the",
            "trigger the",
            "execute this",
            "run this",
            "execute:",
        ),
        pattern=(
            r"\b(?:call|invoke|use|execute|run|trigger) (?:the"
            r"|this) (?:following )?(?:\S{1,24}+ ){0,2}?(?:tool|function|plugin|api|command"
            r"|shell command|code)\b(?: \S{1,20}+){0,5}? "
            r"(?:without (?:asking|confirm\w{1,6}|telling|permission|user|approval)|rm -rf"
            r"|delete (?:all|the)|transfer|and (?:send|forward|email) (?:the|it|all))"
        ),
        category="LLM06",
        severity="medium",
    ),
    InjectionRule(
        id="exfiltration.destructive-shell",
        anchors=("rm -rf", "os.system(", "| bash", "| sh", "drop table"),
        pattern=(
            r"rm -rf (?:/|~|\*)(?:\s|$|['\"`;)])|os\.system\(['\"](?:rm|cat|whoami|ls|curl|wget"
            r"|id)\b|(?:curl|wget)[^\n]{0,80}\| ?(?:ba)?sh\b|'; ?drop table"
        ),
        category="LLM06",
        severity="low",
    ),
    InjectionRule(
        id="exfiltration.decode-and-obey",
        anchors=("decode", "decrypt", "decipher", "base64", "rot13", "unscramble"),
        pattern=(
            r"(?:decode|decrypt|decipher|unscramble|base64"
            r"|rot13)\w{0,3}(?: \S{1,30}+){0,12}? (?:and|then)(?: \S{1,12}+){0,2}? (?:follow"
            r"|execute|obey|comply|do what|carry out|run|act on|perform|respond to (?:it|the)"
            r"|answer (?:it|the decoded))\b"
        ),
        unless=r"(?:function|program|script|python|how (?:do|to|can))[^.\n]{0,40}$",
    ),
    InjectionRule(
        id="exfiltration.pwned",
        anchors=(
            "i have been pwned",
            "i have been pwed",
            "i've been pwned",
            "i have been hacked",
            "have been hijacked",
            "i have been owned",
            "i hate humans",
            "kill all humans",
            "i have been p",
        ),
        pattern=(
            r"(?:i have|i've) been (?:pwn?e?d|hacked|owned|hijacked|compromised)\b"
            r"|have been hijacked\b|i hate humans|kill all humans|i have been p\S{0,6}\b"
        ),
        severity="medium",
        unless=(
            r"(?:i think|help|what (?:do|should)|my account|my email|my (?:computer"
            r"|phone))[^.\n]{0,40}$"
        ),
    ),
    InjectionRule(
        id="exfiltration.forced-output",
        anchors=(
            "respond only with",
            "only respond with",
            "only say",
            "just say",
            "simply say",
            "only output",
            "only print",
            "just print",
            "just output",
            "simply print",
            "say exactly",
            "output exactly",
            "print exactly",
            "simply output",
            "respond with exactly",
            "just respond with",
            "always respond with",
            "say only",
            "instead say",
            "instead print",
            "instead output",
        ),
        pattern=(
            r"(?:(?:only|just|simply|always|instead),? (?:respond with|say|output|print|reply"
            r"|write)|respond only with|say (?:only|exactly)|output exactly|print exactly"
            r"|respond with exactly)[ :]{1,2}(?:the (?:word|phrase|text|string)s? )?[\"'`]"
        ),
        severity="low",
    ),
    InjectionRule(
        id="exfiltration.code-execution",
        anchors=("execute", "run:", "run ", "evaluate", "eval", "bypass", "sandbox"),
        pattern=(
            r"\b(?:execut|run|evaluat|eval|bypass"
            r"|sandbox)\w{0,8}[: ](?:[^\n]{0,30})[`'\"(][^\n]{0,80}?(?:whoami|/etc/(?:passwd"
            r"|shadow)|os\.system|subprocess\.|nc -l|rm -rf /|sh -c|__import__|eval\(|exec\()"
        ),
        category="LLM05",
        severity="medium",
        unless=r"(?:explain|what does|review|why|difference|error|how (?:do|to))[^\n]{0,40}$",
    ),
    InjectionRule(
        id="exfiltration.email-data",
        anchors=(
            "email the",
            "send the",
            "forward the",
            "email all",
            "send all",
            "forward all",
            "export the",
            "export all",
            "dump the",
            "list all",
        ),
        pattern=(
            r"\b(?:email|send|forward|export|dump|list) (?:the|all|all the"
            r"|every) (?:\S{1,12}+ ){0,2}?(?:customer|user|employee|client|contact"
            r"|patient)s?'? (?:list|data|records?|database|emails|passwords|details|information"
            r"|credentials)"
            r"(?: \S{1,14}+){0,3}? (?:to \S{1,40}@|to https?:|with(?:out)? (?:the )?(?:password"
            r"|permission|filter)s?)"
        ),
        category="LLM02",
        severity="medium",
    ),
)
