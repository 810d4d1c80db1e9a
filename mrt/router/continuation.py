"""Asks that only carry on with what the session does: "yes", "continue", "try again", in several languages."""

from __future__ import annotations

from mrt.router.lexicon import word_set

# At most this many words; a longer text says something of its own.
_MOST = 8
_CORE = word_set(
    "yes yeah yep yup y continue proceed again retry resume go ahead going on next more do did lgtm approved confirmed ok okay k"
    " sure keep redo repeat accept agreed correct exactly both others option second first"
    " ja einmal weiter weitermachen fortfahren nochmal nochmals wiederholen los jawohl genau einverstanden"
    " oui continuer continuez encore réessaie réessayez recommence recommencez vas allez reprends"
    " sí si continúa continua continúe sigue siga adelante nuevo inténtalo vale otra reintenta procede dale"
    " sim continuar prossiga prossegue tente novamente outra isso"
    " да продолжай продолжайте продолжить дальше далее ещё еще повтори повторите снова ага"
    " sì riprova ancora avanti prosegui tak dalej kontynuuj ano pokračuj evet devam"
    " はい 네 예 계속 다시"
)
_FILLING = word_set(
    "please with it that this the same thing once more one time to from where you left off now then and just try a no not so"
    " good great fine perfect looks sounds right thanks thank very well step part file task work works all let us s me i want for"
    " mach machen versuch versuche es bitte noch einmal mal gut passt das so danke und mit dem der die"
    " y por favor de vez lo intenta bien hazlo muy gracias está bem tudo bom por obrigado faça o"
    " s il te vous plaît d accord y une fois bien merci"
    " пожалуйста попробуй попробуйте раз хорошо давай делай спасибо так"
)
# What is left of a text after taking all of these away, longest first, must be nothing.
_DENSE = sorted(
    word_set(
        "请继续 继续 再试一次 再试 重试 再来一次 重来 接着说 接着 下一步 是的 是 好的 好 对 可以 行 嗯 吧 了 请 做 没问题"
        " 确认 同意 往下 繼續 續けて 続けて 続き 続ける もう一度 はい お願いします お願い ください 次へ 次"
        " 계속해줘 계속해 계속 다시 시도 해줘 해봐 네 예 응"
    ),
    key=lambda phrase: (-len(phrase), phrase),
)


def continues(words: list[str], dense: str) -> bool:
    """True when an ask of these lower-case words, with these characters of a dense script, does nothing but carry on."""
    if not words or len(words) > _MOST:
        return False
    if not dense:
        return any(word in _CORE for word in words) and all(word in _CORE or word in _FILLING for word in words)
    rest = "".join(words)
    for phrase in _DENSE:
        rest = rest.replace(phrase, "")
    return not rest
