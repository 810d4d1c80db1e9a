"""Recognises an answer that is a refusal or no answer at all, in five languages."""

from __future__ import annotations

import re

_LONGEST = 600  # characters: a longer text has said something besides
_QUOTED = 60
_SENTENCE = r"[^.!?。！？\n]"

_ENGLISH_APOLOGY = (
    r"(?:(?:(?:i'm|i am|my) (?:so |very |really |truly |deeply )?(?:sorry|apologies|afraid)|sorry|(?:i )?apologi[sz]e|"
    rf"unfortunately|thank you){_SENTENCE}{{0,40}}?[,.!:;]* ?)?"
)
_ENGLISH_NOT = (
    r"(?:can ?not|can't|won't|will not|am unable to|'m unable to|am not able to|'m not able to|am not allowed to|"
    r"'m not allowed to|am not comfortable|'m not comfortable|must(?: respectfully)? decline|have to decline)"
)
_ENGLISH_ACT = (
    r"(?:help|assist|support|provide|providing|fulfil\w*|comply|complete|answer|respond|do (?:that|this|so)|create|"
    r"creating|write|writing|generate|generating|produce|offer|engage|discuss|access|browse|participate|satisfy|"
    r"accommodate|advise|to (?:help|assist|provide|answer|do|write|create))\b"
)
_GERMAN_ACT = (
    r"(?:helfen|unterstütz|beantwort|erfüll|bereitstell|nachkommen|behilflich|weiterhelfen|geben|schreiben|erstellen|"
    r"durchführen|zugreifen|ausführen|dienen|tun\b)"
)
_FRENCH_ACT = r"(?:aider|répondre|fournir|satisfaire|créer|écrire|générer|accéder|assister|donner suite|faire cela)"
_SPANISH_ACT = (
    r"(?:ayud|asist|proporcion|cumpl|respond|realiz|crear|escribir|generar|acceder|ofrecer|hacer eso|complacer)"
)
_CHINESE_ACT = r"(?:帮|提供|回答|协助|满足|完成|处理|执行|生成|讨论|继续|访问|支持)"
_REFUSALS = (
    (
        rf"{_ENGLISH_APOLOGY}(?:but |however,? |that )?(?:unfortunately,? )?(?:as an? {_SENTENCE}{{2,60}}?,? )?(?:but )?"
        rf"i ?(?:simply |just |really )?{_ENGLISH_NOT} (?:be able to |directly |in good conscience |really )?{_ENGLISH_ACT}"
    ),
    (
        rf"{_ENGLISH_APOLOGY}(?:but )?as an? (?:ai|artificial intelligence|(?:large )?language model){_SENTENCE}{{0,40}}?,? "
        rf"i ?(?:{_ENGLISH_NOT}|do not have|don't have)"
    ),
    rf"(?:i'm|i am) (?:just |only )?an? (?:ai|(?:large )?language model){_SENTENCE}{{0,60}}(?:cannot|can't|unable)",
    (
        rf"{_ENGLISH_APOLOGY}(?:but )?i (?:(?:must|have to|need to) (?:respectfully |politely )?(?:decline|refuse)|"
        r"(?:do not|don't) have (?:access to|the ability))\b"
    ),
    (
        rf"(?:(?:es )?tut mir (?:sehr |wirklich )?leid|entschuldigung|leider|sorry){_SENTENCE}{{0,60}}\b(?:kann|darf|werde)\b"
        rf"{_SENTENCE}{{0,80}}\b(?:nicht|kein\w*)\b{_SENTENCE}{{0,80}}{_GERMAN_ACT}"
    ),
    rf"ich (?:kann|darf|werde) {_SENTENCE}{{0,80}}\b(?:nicht|kein\w*)\b{_SENTENCE}{{0,60}}{_GERMAN_ACT}",
    (
        rf"als (?:eine? )?(?:ki\b|künstliche intelligenz|(?:großes )?sprachmodell){_SENTENCE}{{0,40}} (?:kann|darf|habe) ich"
        rf"{_SENTENCE}{{0,80}}\b(?:nicht|kein\w*)"
    ),
    (
        rf"(?:(?:je suis |vraiment |sincèrement )*(?:désolée?|je regrette|malheureusement)[^?\n]{{0,40}})?"
        rf"je ne (?:peux|suis|saurais) (?:malheureusement )?pas {_SENTENCE}{{0,40}}{_FRENCH_ACT}"
    ),
    rf"en tant qu(?:e |'){_SENTENCE}{{0,50}}je ne (?:peux|suis|dispose)",
    (
        rf"(?:(?:lo siento|lo lamento|disculpa|perdón|lamentablemente)[^?\n]{{0,40}})?"
        rf"no (?:puedo|me es posible|estoy en condiciones de) {_SENTENCE}{{0,30}}?{_SPANISH_ACT}"
    ),
    rf"como (?:modelo de lenguaje|una? (?:ia\b|inteligencia artificial)){_SENTENCE}{{0,50}}no (?:puedo|tengo)",
    rf"(?:非常|很|十分)?(?:抱歉|对不起|不好意思|遗憾){_SENTENCE}{{0,10}}(?:无法|不能|没办法){_SENTENCE}{{0,12}}{_CHINESE_ACT}",
    rf"作为{_SENTENCE}{{0,20}}(?:ai|人工智能|语言模型|助手){_SENTENCE}{{0,20}}(?:无法|不能|没有能力)",
    rf"我(?:无法|不能)(?:为您|为你|给您)?{_CHINESE_ACT}",
)
_NON_ANSWERS = (
    r"(?:(?:i'm )?sorry,? (?:but )?)?(?:i (?:really |honestly )?(?:do not|don't) know(?: the answer| that)?|i have no idea|"
    r"no idea|i(?:'m| am) not sure|i(?:'m| am) sorry|sorry)|(?:das )?weiß ich(?: leider)? nicht|"
    r"ich weiß (?:es |das )?(?:leider )?nicht|keine ahnung|je ne sais pas|aucune idée|no (?:lo )?sé|no tengo idea|"
    r"我不知道|不知道|抱歉|对不起"
)
# "I don't have access to live data, but as of 2024 it was ...": there the answer follows.
_ANSWERS_ANYWAY = (
    r"```|~~~|\n\s*(?:[-*•]|\d+[.)])\s|\b(?:however|but|instead|that said|still|aber|mais|pero)\b[^.!?\n]{0,40}?"
    r"(?:\d|\b(?:here(?:'s| is| are)|for example|in general|generally|as of|based on|typically|usually|it is|it's|"
    r"the answer)\b)|\bhere(?:'s| is| are) (?:the|a|an|my|how|what)\b|但|不过"
)
# Where the prompt asks for such words, or about what the model can do, they are the answer.
_ASKED_FOR = (
    r"translat|übersetz|tradu|翻译|译成|refus|declin|ablehn|absage|apolog|entschuldig|rephrase|paraphras|say no\b|"
    r"how (?:do|would|can) (?:you|i|one|we) say|wie sagt man|comment dit|cómo se dice|怎么说|repeat after|"
    r"do you have|are you able|can you (?:access|browse|see|open|remember)"
)


def refusal(answer: str, prompt: str) -> str | None:
    """The words with which a short answer refuses, or None."""
    text, asked = _plain(answer), _straight(prompt)
    if not text or len(text) > _LONGEST or re.search(_ASKED_FOR, asked):
        return None
    words = _non_answer(text) or _opening(text)
    return None if words is None or words in asked else words[:_QUOTED]


def _non_answer(text: str) -> str | None:
    return text.rstrip(" .!。！") if re.fullmatch(rf"(?:{_NON_ANSWERS})[ .!。！]*", text) else None


def _opening(text: str) -> str | None:
    match = next(filter(None, (re.match(pattern, text) for pattern in _REFUSALS)), None)
    if match is None or re.search(_ANSWERS_ANYWAY, text):
        return None
    return " ".join(match[0].split())


def _plain(answer: str) -> str:
    return re.sub(r"^[\W_]+|[\s*_\"'`”»]+$", "", _straight(answer))


def _straight(text: str) -> str:
    return text.lower().replace("’", "'").replace("\u00a0", " ")
