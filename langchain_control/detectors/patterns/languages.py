"""The words of which overrides are made in other languages.

Each language is a row of word stems, joined with `|`. Stems are folded as texts are: accents and
letter case do not matter.
"""
# ruff: noqa: RUF001  (letters that look like others are what other languages are written in)

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LANGUAGES", "Language"]


class Language(NamedTuple):
    """The words of one language that overrides are made of, as stems joined with `|`."""

    drop: str
    """To ignore, forget, disregard."""
    instructions: str
    """Instructions, rules, guidelines, directives."""
    tell: str = ""
    """To show, reveal, repeat, print."""
    yours: str = ""
    """Your, initial, hidden: what sets the model's own instructions apart from others."""
    prompt: str = ""
    """Words for a system prompt that need no further sign."""
    unbound: str = ""
    """Phrases that announce a persona without rules."""
    verb_last: bool = False
    spaced: bool = True
    """Whether blanks stand between words."""


LANGUAGES: dict[str, Language] = {
    "de": Language(
        drop=(
            "ignorier|vergiss|vergesse|vergessen sie|missachte|missacht|nicht beacht"
            "|beachte nicht|verwirf|überschreib|setze dich über|umgeh"
        ),
        instructions=(
            "anweisung|instruktion|regel|befehl|vorgabe|richtlinie|aufgabe|anordnung"
            "|einschränkung|prompt|beschränkung|alles davor|alles zuvor|alles, was|alles was"
        ),
        tell=(
            "zeig|gib|nenn|verrat|wiederhol|sag|offenbar|schreib|druck|was ist|was sind"
            "|wie lautet|wie lauten|liste"
        ),
        yours="dein|ihre|ursprünglich|anfänglich|geheim|versteckt|intern|vorherig",
        prompt="systemprompt|system-prompt|systemnachricht|systemanweisung",
        unbound=(
            "ohne einschränkung|keine einschränkung|ohne beschränkung|keine regeln mehr"
            "|uneingeschränkt|keine richtlinien|ohne filter|unzensiert"
        ),
    ),
    "fr": Language(
        drop=(
            "ignore les|ignore tes|ignore toute|ignore tout |ignore vos|ignore ces|ignore ce qu"
            "|ignore l'|ignore la|ignore mes|ignore ta|ignore cette|ignorez|ignorer|ignorons"
            "|oublie|oubliez|oublier|néglige|négligez|ne tiens pas compte|ne tenez pas compte"
            "|ne suivez pas|ne suis pas|contourne|passe outre|outrepasse|fais abstraction"
            "|faites abstraction|écarte"
        ),
        instructions=(
            "instruction|consigne|règle|directive|ordres|contrainte|restriction|commandes"
            "|limitation|tout ce qui précède|tout ce que"
        ),
        tell=(
            "montre|affiche|révèle|répète|donne|dis|dites|écris|imprime|partage|quel est"
            "|quelles sont|quelle est|divulgue|expose|liste"
        ),
        yours="tes|ton|ta|vos|votre|initial|caché|secret|interne|système|d'origine|précédent",
        prompt=(
            "prompt système|invite système|message système|prompt initial|invite initiale"
            "|prompt de départ"
        ),
        unbound=(
            "sans restriction|sans aucune restriction|aucune restriction|sans limite|sans filtre"
            "|aucune règle|non censuré|sans censure"
        ),
    ),
    "es": Language(
        drop=(
            "ignora|ignorá|ignore las|ignore los|ignore tod|ignore sus|ignore tus"
            "|ignore cualquier|ignore esas|ignore mis|ignoren|ignoremos|olvid|descart|desestim"
            "|omit|haz caso omiso|hagas caso|pasa por alto|no sigas|no tengas en cuenta|anula"
            "|elimina|desobedec|prescinde|sáltate"
        ),
        instructions=(
            "instruccion|instrucción|regla|directriz|directric|orden|indicacion|indicación"
            "|restricci|limitaci|norma|directiva|comando|todo lo anterior|todo lo que"
        ),
        tell=(
            "muestra|muéstra|revela|revéla|repite|dime|di |escribe|imprime|comparte|cuál es"
            "|cuáles son|expón|expon|dame|enseña|divulga|lista"
        ),
        yours="tus|tu|sus|su|inicial|oculta|oculto|secret|intern|sistema|original|anterior|previa",
        prompt=(
            "prompt del sistema|mensaje del sistema|prompt inicial|prompt de sistema"
            "|indicaciones del sistema|prompt oculto"
        ),
        unbound=(
            "sin restriccion|sin ninguna restricci|ninguna restricci|sin límite|sin limitacion"
            "|sin filtro|sin censura|sin reglas"
        ),
    ),
    "pt": Language(
        drop=(
            "ignora|ignore as|ignore os|ignore tod|ignore sua|ignore seu|ignore tudo"
            "|ignore qualquer|ignore essa|ignore minha|ignore a |ignore o |ignorem|esqueç|esquec"
            "|desconsider|descart|desrespeit|não siga|deixe de lado|anule|desobedeç|contorn"
        ),
        instructions=(
            "instruç|instruc|regra|diretriz|diretriv|ordens|comando|restriç|orientaç|limitaç"
            "|norma|tudo acima|tudo o que|tudo que"
        ),
        tell=(
            "mostr|revel|repit|diga|dig|escrev|imprim|compartilh|qual é|quais são|exib|exponh|dê"
            "|divulg|liste"
        ),
        yours=(
            "suas|seu|sua|seus|tuas|teu|inicia|ocult|secret|intern|sistema|origina|anterior"
            "|fundamental"
        ),
        prompt=(
            "prompt do sistema|mensagem do sistema|prompt inicial|prompt de sistema"
            "|prompt oculto|prompt de treinamento"
        ),
        unbound=(
            "sem restriç|nenhuma restriç|sem limite|sem limitaç|sem filtro|sem censura|sem regras"
        ),
    ),
    "it": Language(
        drop=(
            "ignora|ignorare|ignorate|dimentica|scorda|tralascia|trascura|non seguire"
            "|non tenere conto|scarta|aggira|annulla|disobbedisci|lascia perdere|metti da parte"
        ),
        instructions=(
            "istruzion|regol|direttiv|ordini|indicazion|comand|restrizion|limitazion|linee guida"
            "|vincol|tutto ciò|tutto quello"
        ),
        tell=(
            "mostra|rivela|ripeti|dimmi|scrivi|stampa|condividi|qual è|quali sono|esponi|dammi"
            "|svela|elenca|divulga"
        ),
        yours="tue|tuo|tua|tuoi|vostr|inizial|nascost|segret|intern|sistema|original|precedent",
        prompt="prompt di sistema|messaggio di sistema|prompt iniziale|prompt del sistema",
        unbound=(
            "senza restrizioni|nessuna restrizion|senza limit|senza filtri|senza censura"
            "|senza regole"
        ),
    ),
    "nl": Language(
        drop="negeer|vergeet|sla over|omzeil|let niet op|volg niet|schrap|overschrijf",
        instructions=(
            "instructie|regel|richtlijn|opdracht|bevel|aanwijzing|beperking|alles hierboven"
            "|alles wat"
        ),
        tell="toon|laat|geef|herhaal|zeg|onthul|schrijf|druk|wat is|wat zijn|vertel|deel",
        yours="je|jouw|uw|oorspronkelijk|eerste|verborgen|geheime|interne|vorige",
        prompt="systeemprompt|systeembericht|systeeminstructie",
        unbound=(
            "zonder beperking|geen beperking|zonder filter|ongefilterd|geen regels|ongecensureerd"
        ),
    ),
    "ru": Language(
        drop=(
            "игнориру|проигнориру|забудь|забыть|забудьте|отбрось|не обращай внимания|не следуй"
            "|не учитыва|пренебреги|отмени|обойди|отключи|нарушь|не соблюда"
        ),
        instructions=(
            "инструкци|указани|правил|команд|распоряжени|директив|ограничени|предписани|промпт"
            "|всё, что|все, что|все что"
        ),
        tell=(
            "покажи|выведи|повтори|раскрой|скажи|напиши|распечатай|назови|перечисли|сообщи|каков"
            "|какие|что было|выдай|дай"
        ),
        yours="тво|ваш|сво|исходн|первоначальн|начальн|скрыт|секретн|внутренн|системн|предыдущ",
        prompt=(
            "системный промпт|системного промпта|системное сообщение|системную инструкцию"
            "|системные инструкции|системный запрос|системную подсказку"
        ),
        unbound=(
            "без ограничени|нет ограничени|никаких ограничени|без цензуры|без фильтров|без правил"
        ),
    ),
    "uk": Language(
        drop="ігноруй|проігноруй|забудь|відкинь|не звертай уваги|не дотримуйся|скасуй|обійди",
        instructions="інструкці|вказівк|правил|команд|директив|обмежен|розпоряджен|все, що|усе, що",
        tell="покажи|виведи|повтори|розкрий|скажи|напиши|назви|перелічи|які|який",
        yours="тво|ваш|сво|початков|прихован|секретн|внутрішн|системн|попередн",
        prompt="системний промпт|системного промпту|системне повідомлення|системні інструкції",
        unbound="без обмежень|немає обмежень|жодних обмежень|без цензури|без фільтрів",
    ),
    "pl": Language(
        drop=(
            "zignoruj|ignoruj|zapomnij|pomiń|nie zważaj|odrzuć|nie przestrzegaj|obejdź"
            "|nie bierz pod uwagę|unieważnij"
        ),
        instructions=(
            "instrukcj|polece|zasad|wytyczn|reguł|rozkaz|ogranicze|dyrektyw|wszystko, co"
            "|wszystko co"
        ),
        tell="pokaż|wyświetl|powtórz|ujawnij|powiedz|napisz|wypisz|podaj|jaki jest|jakie są|zdradź",
        yours="swoj|twoj|twój|swój|początkow|ukryt|tajn|wewnętrzn|systemow|poprzedni|wcześniejsz",
        prompt=(
            "prompt systemowy|promptu systemowego|wiadomość systemow|instrukcje systemowe"
            "|monit systemowy"
        ),
        unbound="bez ogranicze|żadnych ogranicze|bez cenzury|bez filtrów|bez zasad",
    ),
    "cs": Language(
        drop="ignoruj|zapomeň|zapomen|nedbej|přehlížej|nedodržuj|zruš|obejdi",
        instructions="instrukc|pokyn|pravid|příkaz|směrnic|omezen|vše, co|všechno, co",
        tell="ukaž|zobraz|zopakuj|prozraď|řekni|napiš|vypiš|jaký je|jaké jsou|odhal",
        yours="sv|tv|původní|počáteční|skryt|tajn|interní|systémov|předchozí",
        prompt="systémový prompt|systémového promptu|systémová zpráva|systémové instrukce",
        unbound="bez omezení|žádná omezení|bez cenzury|bez filtrů",
    ),
    "ro": Language(
        drop="ignoră|ignora|uită|nu ține cont|nu respecta|omite|anulează|neglijează",
        instructions=(
            "instrucțiun|regul|directiv|ordine|comenz|indicați|restricți|constrângeri|tot ce"
        ),
        tell="arată|afișează|repetă|dezvăluie|spune|scrie|care este|care sunt|listează",
        yours="tale|tău|ta|inițial|ascuns|secret|intern|sistem|anterior",
        prompt="promptul de sistem|prompt de sistem|mesajul de sistem|promptul sistemului",
        unbound="fără restricții|nicio restricție|fără limite|fără cenzură|fără filtre",
    ),
    "sv": Language(
        drop="ignorera|glöm|bortse från|strunta i|följ inte|åsidosätt|kringgå",
        instructions=(
            "instruktion|anvisning|regel|regler|riktlinje|order|begränsning|direktiv|allt ovan"
            "|allt som"
        ),
        tell="visa|upprepa|avslöja|säg|skriv|berätta|vad är|vilka är|ge mig",
        yours="din|dina|ditt|ursprunglig|hemlig|dold|intern|första|tidigare",
        prompt="systemprompt|systemmeddelande|systeminstruktion",
        unbound="utan begränsning|inga begränsning|utan filter|ocensurerad|inga regler",
    ),
    "da": Language(
        drop="ignorer|glem|se bort fra|følg ikke|tilsidesæt|omgå",
        instructions=(
            "instruktion|instruks|anvisning|regel|regler|retningslinje|ordre|begrænsning"
            "|alt ovenfor|alt hvad"
        ),
        tell="vis|gentag|afslør|sig|skriv|fortæl|hvad er",
        yours="din|dine|dit|oprindelig|hemmelig|skjult|intern|tidligere",
        prompt="systemprompt|systembesked|systeminstruks",
        unbound="uden begrænsning|ingen begrænsning|uden filter|ucensureret",
    ),
    "fi": Language(
        drop="jätä huomiotta|unohda|sivuuta|älä noudata|ohita|älä välitä",
        instructions="ohje|sään|määräy|käsky|rajoitu|kaikki edellä|kehot",
        tell="näytä|toista|paljasta|kerro|kirjoita|tulosta|mikä on|mitkä ovat",
        yours="sinun|alkuperäi|piilo|sala|sisäi|järjestelmä|aiem|edelli",
        prompt="järjestelmäkehot|järjestelmäviesti|järjestelmäohje",
        unbound="ilman rajoituksia|ei rajoituksia|rajoittamaton|sensuroimaton",
    ),
    "el": Language(
        drop="αγνόησε|αγνοήστε|αγνόησ|ξέχνα|ξεχάστε|ξέχασε|παράβλεψε|μην ακολουθείς|παράκαμψε",
        instructions="οδηγί|εντολ|κανόν|περιορισμ|κατευθύνσ|ό,τι|όλα όσα",
        tell="δείξε|εμφάνισε|επανάλαβε|αποκάλυψε|πες|γράψε|ποιες είναι|ποιο είναι|τύπωσε",
        yours="σου|σας|αρχικ|κρυφ|μυστικ|εσωτερικ|συστήματ|προηγούμεν",
        prompt="προτροπή συστήματος|μήνυμα συστήματος|system prompt",
        unbound="χωρίς περιορισμ|κανέναν περιορισμ|χωρίς λογοκρισία",
    ),
    "tr": Language(
        drop=(
            "yok say|görmezden gel|unut|dikkate alma|göz ardı et|önemseme|umursama|geçersiz kıl"
            "|uyma|boş ver"
        ),
        instructions="talimat|komut|kural|yönerge|emir|kısıtlama|direktif|her şeyi|sınırlama",
        tell="göster|tekrarla|açıkla|söyle|yaz|paylaş|ifşa|nedir|nelerdir|ver|yazdır|listele",
        yours="senin|sistem|gizli|ilk|başlangıç|önceki|orijinal|dahili|sana verilen",
        prompt="sistem prompt|sistem mesaj|sistem istem|sistem talimat|sistem komut",
        unbound="kısıtlama olmadan|hiçbir kısıtlama|sınırsız bir|sansürsüz|kuralsız|filtresiz",
        verb_last=True,
    ),
    "ar": Language(
        drop="تجاهل|تجاهلي|انس|انسى|إنس|أهمل|اهمل|لا تتبع|تخط|تجاوز|ألغ",
        instructions=(
            "تعليمات|التعليمات|تعليماتك|القواعد|قواعدك|الأوامر|أوامرك|التوجيهات|توجيهاتك|القيود"
            "|الإرشادات|كل ما سبق|كل ما|السابق"
        ),
        tell="أظهر|اظهر|اعرض|أعرض|كرر|اكشف|أخبرني|اخبرني|اكتب|اطبع|ما هي|ما هو|أعطني|شارك",
        yours="ك |الأصلي|الأولي|المخفي|السري|الداخلي|النظام|السابق|الخاصة بك",
        prompt="موجه النظام|مطالبة النظام|رسالة النظام|تعليمات النظام|نص النظام|أوامر النظام",
        unbound="بدون قيود|بلا قيود|دون قيود|دون أي قيود|بدون أي قيود|بلا حدود|غير مقيد",
    ),
    "fa": Language(
        drop="نادیده بگیر|نادیده گیر|فراموش کن|بی‌توجه|توجه نکن|پیروی نکن|دور بزن|کنار بگذار",
        instructions="دستور|قوانین|قواعد|راهنما|فرمان|محدودیت|همه چیز",
        tell="نشان بده|تکرار کن|فاش کن|بگو|بنویس|چاپ کن|چیست|آشکار کن",
        yours="خود|شما|اولیه|مخفی|پنهان|سری|داخلی|سیستم|قبلی",
        prompt="پرامپت سیستم|پیام سیستم|دستورات سیستم|دستورالعمل سیستم",
        unbound="بدون محدودیت|هیچ محدودیت|بدون هیچ محدودیت|بدون سانسور",
        verb_last=True,
    ),
    "he": Language(
        drop="התעלם|תתעלם|התעלמי|שכח|תשכח|אל תציית|אל תפעל לפי|עקוף",
        instructions="הוראות|ההוראות|הנחיות|ההנחיות|כללים|הכללים|פקודות|הפקודות|המגבלות|כל מה",
        tell="הצג|הראה|חזור על|חשוף|גלה|אמור|כתוב|הדפס|מה הן|מהן|מהו",
        yours="שלך|המקורי|הסודי|הנסתר|הפנימי|המערכת|הקודמ|הראשונ",
        prompt="הנחיית המערכת|הודעת המערכת|הוראות המערכת|פרומפט המערכת",
        unbound="ללא הגבלות|בלי הגבלות|ללא מגבלות|אין לך מגבלות|ללא צנזורה",
    ),
    "hi": Language(
        drop=(
            "अनदेखा कर|नज़रअंदाज़|नजरअंदाज|अनदेखी कर|भूल जा|ध्यान न|ध्यान मत|उपेक्षा कर|पालन न कर|इग्नोर|छोड़ दो"
        ),
        instructions="निर्देश|नियम|आदेश|दिशानिर्देश|दिशा-निर्देश|प्रतिबंध|अनुदेश|सब कुछ",
        tell="दिखा|दोहरा|बता|लिख|प्रकट कर|उजागर कर|प्रिंट|क्या है|क्या हैं|साझा कर",
        yours="अपने|अपना|अपनी|आपके|आपका|प्रारंभिक|छिपे|गुप्त|आंतरिक|सिस्टम|पिछले|मूल",
        prompt="सिस्टम प्रॉम्प्ट|सिस्टम प्रोम्प्ट|सिस्टम संदेश|सिस्टम निर्देश",
        unbound="बिना किसी प्रतिबंध|कोई प्रतिबंध नहीं|बिना प्रतिबंध|बिना किसी सीमा|बिना सेंसर",
        verb_last=True,
    ),
    "hi-latn": Language(
        drop=(
            "ignore kar|ignore karo|bhool ja|bhul ja|bhula do|nazarandaz|nazar andaz|andekha kar"
            "|dhyan mat|mat mano|follow mat kar|chhod do"
        ),
        instructions="instruction|nirdesh|niyam|rule|aadesh|guideline|sab kuch|command|prompt|baat",
        tell="dikha|bata|repeat kar|likh|print kar|reveal kar|share kar|kya hai|kya hain|batao",
        yours="apne|apna|apni|tumhare|tumhara|aapke|system|hidden|secret|initial|pichle",
        prompt="system prompt|system message|hidden prompt",
        unbound=(
            "bina kisi restriction|koi restriction nahi|bina restriction|bina kisi rok"
            "|koi limit nahi"
        ),
        verb_last=True,
    ),
    "bn": Language(
        drop="উপেক্ষা কর|ভুলে যা|অগ্রাহ্য কর|এড়িয়ে যা|মানবে না",
        instructions="নির্দেশ|নিয়ম|আদেশ|সবকিছু|সীমাবদ্ধতা",
        tell="দেখা|বল|লেখ|প্রকাশ কর|পুনরাবৃত্তি কর|কী|জানা",
        yours="তোমার|আপনার|প্রাথমিক|গোপন|লুকানো|সিস্টেম|পূর্ববর্তী",
        prompt="সিস্টেম প্রম্পট|সিস্টেম বার্তা|সিস্টেম নির্দেশ",
        unbound="কোনো সীমাবদ্ধতা ছাড়া|কোন সীমাবদ্ধতা নেই|বিধিনিষেধ ছাড়া",
        verb_last=True,
    ),
    "zh": Language(
        drop="忽略|忽视|无视|無視|忘记|忘記|忘掉|忘了|不要理会|不要理會|不理会|抛开|拋開|绕过|繞過|不要遵守|不要遵循|别管|别理|不必遵守|跳过|违反|取消",
        instructions="指令|指示|规则|規則|提示|命令|限制|指导|要求|说明|說明|约束|規定|规定|设定|設定|准则|以上所有|上述所有|前面的内容|之前的内容|上面的内容",
        tell="显示|顯示|输出|輸出|重复|重複|告诉|告訴|透露|泄露|打印|列出|写出|揭示|复述|複述|给我|公开|说出|什么是|展示|分享|披露",
        yours="你的|您的|初始|系统|系統|隐藏|隱藏|内部|內部|秘密|原始|最初|之前的|开头",
        prompt="系统提示|系統提示|系统指令|系統指令|初始提示|隐藏提示|系统消息|初始指令|提示词是什么",
        unbound="没有任何限制|沒有任何限制|不受任何限制|不受限制|没有限制|无限制的|没有道德|不受约束|没有任何约束|不受任何约束|没有任何道德",
        spaced=False,
    ),
    "ja": Language(
        drop="無視し|無視せ|無視する|忘れて|忘れろ|忘れなさい|従わない|従わず|破棄し|取り消し|上書きし",
        instructions="指示|命令|ルール|規則|プロンプト|制約|ガイドライン|制限|設定|以前の内容|すべての内容",
        tell="表示し|見せて|教えて|出力し|繰り返し|明かし|開示し|公開し|書き出し|は何|示して",
        yours="あなたの|初期|システム|隠され|秘密|内部|元の|最初の|以前の|君の",
        prompt="システムプロンプト|システムメッセージ|初期プロンプト|システム指示",
        unbound="制限なし|制限のない|制約なし|制約のない|何の制限も|一切の制限|検閲なし",
        verb_last=True,
        spaced=False,
    ),
    "ko": Language(
        drop="무시하|무시해|무시 하|잊어|잊으|잊고|따르지 마|따르지 말|무효화",
        instructions="지시|명령|규칙|지침|프롬프트|제한|가이드라인|내용",
        tell="보여|알려|출력|반복|말해|공개|드러내|작성|무엇|뭐야|표시",
        yours="당신의|너의|네 |초기|시스템|숨겨진|비밀|내부|원래|이전",
        prompt="시스템 프롬프트|시스템 메시지|시스템 지시|초기 프롬프트",
        unbound="제한 없이|제한이 없|아무런 제한|제약 없이|제약이 없|검열 없",
        verb_last=True,
        spaced=False,
    ),
    "vi": Language(
        drop=(
            "bỏ qua|phớt lờ|quên đi|quên hết|quên tất cả|hãy quên|không tuân theo|đừng tuân theo"
            "|lờ đi|bỏ mặc"
        ),
        instructions=(
            "hướng dẫn|chỉ dẫn|chỉ thị|quy tắc|mệnh lệnh|lệnh|giới hạn|yêu cầu|mọi thứ|những gì"
        ),
        tell="hiển thị|cho tôi|lặp lại|tiết lộ|nói|in ra|viết|chia sẻ|là gì|liệt kê",
        yours="của bạn|ban đầu|ẩn|bí mật|nội bộ|hệ thống|trước",
        prompt=(
            "lời nhắc hệ thống|prompt hệ thống|thông báo hệ thống|hướng dẫn hệ thống"
            "|câu lệnh hệ thống"
        ),
        unbound=(
            "không có giới hạn|không bị giới hạn|không giới hạn nào|không có hạn chế"
            "|không bị kiểm duyệt"
        ),
    ),
    "id": Language(
        drop="abaikan|lupakan|hiraukan|jangan ikuti|kesampingkan|jangan pedulikan|langgar",
        instructions=(
            "instruksi|perintah|aturan|petunjuk|arahan|pedoman|batasan|semua yang|larangan"
        ),
        tell=(
            "tampilkan|tunjukkan|ulangi|ungkapkan|beri tahu|katakan|tulis|cetak|apa |bagikan"
            "|sebutkan|beritahu"
        ),
        yours="anda|kamu|mu|awal|tersembunyi|rahasia|internal|sistem|sebelumnya",
        prompt="prompt sistem|pesan sistem|instruksi sistem|perintah sistem|prompt awal",
        unbound="tanpa batasan|tidak memiliki batasan|tanpa sensor|tanpa aturan|tidak ada batasan",
    ),
    "tl": Language(
        drop="huwag pansinin|balewalain|kalimutan|huwag sundin|isantabi",
        instructions="tagubilin|utos|panuntunan|patakaran|instruksyon|lahat ng",
        tell="ipakita|ulitin|ibunyag|sabihin|isulat|ano ang",
        yours="iyong|mo|orihinal|nakatago|lihim|sistema|nauna",
        prompt="system prompt|mensahe ng sistema",
        unbound="walang limitasyon|walang paghihigpit",
    ),
    "sw": Language(
        drop="puuza|sahau|usifuate|achana na",
        instructions="maagizo|maelekezo|sheria|amri|kanuni|yote",
        tell="onyesha|rudia|fichua|sema|andika|niambie|ni nini",
        yours="yako|ya awali|siri|mfumo|iliyofichwa",
        prompt="maagizo ya mfumo|ujumbe wa mfumo",
        unbound="bila vikwazo|bila mipaka|huna vikwazo",
    ),
    "th": Language(
        drop="เพิกเฉย|ละเว้น|ไม่ต้องสนใจ|อย่าสนใจ|ลืม|ไม่สนใจ|มองข้าม|ยกเลิก",
        instructions="คำสั่ง|คำแนะนำ|กฎ|ข้อจำกัด|ข้อกำหนด|ทุกอย่าง|ทั้งหมด|พรอมต์",
        tell="แสดง|บอก|เปิดเผย|ทวน|พิมพ์|เขียน|คืออะไร",
        yours="ของคุณ|ระบบ|เริ่มต้น|ลับ|ซ่อน|ภายใน|ก่อนหน้า|เดิม",
        prompt="พรอมต์ระบบ|พรอมต์ของระบบ|ข้อความระบบ|คำสั่งระบบ",
        unbound="ไม่มีข้อจำกัด|ไร้ข้อจำกัด|โดยไม่มีข้อจำกัด|ไม่มีขีดจำกัด",
        spaced=False,
    ),
    "hu": Language(
        drop="hagyd figyelmen kívül|felejtsd el|felejts el|ne vedd figyelembe|ne kövesd|írd felül",
        instructions="utasítás|szabály|parancs|irányelv|korlátoz|mindent",
        tell="mutasd|ismételd|fedd fel|mondd|írd|mi a|sorold",
        yours="eredeti|kezdeti|rejtett|titkos|belső|rendszer|előző|korábbi",
        prompt="rendszerprompt|rendszerüzenet|rendszerutasítás",
        unbound="korlátozás nélkül|korlátok nélkül|nincsenek korlát|cenzúra nélkül",
    ),
}
