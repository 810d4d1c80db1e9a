"""The words by which a prompt orders code or JSON, in several languages; all patterns match lower-case text."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a space-separated list."""
    return frozenset(text.split())


# Names that are also everyday words (swift, go, shell, c) count only in front of a code noun.
_PLAIN_LANGUAGES = (
    r"python[23]?|javascript|typescript|java|c\+\+|cpp|c#|csharp|rust|golang|ruby|php|kotlin|scala|haskell|perl|"
    r"lua|matlab|elixir|erlang|clojure|ocaml|f#|fortran|cobol|bash|zsh|powershell|sql|postgres(?:ql)?|mysql|sqlite|"
    r"html5?|css|scss|django|flask|fastapi|pandas|numpy|pytorch|tensorflow|pygame|tkinter|node\.?js|jquery|"
    r"vue\.?js|verilog|vhdl|solidity|terraform|vba"
)
_OTHER_LANGUAGES = r"c|r|d|go|swift|dart|julia|shell|sh|awk|sed|jq|react|vue|angular|svelte|rails|assembly|assembler"
LANGUAGE = rf"(?:{_PLAIN_LANGUAGES})"
_ANY_LANGUAGE = rf"(?:{_PLAIN_LANGUAGES}|{_OTHER_LANGUAGES})"

# Libraries of Python tell nothing against Python.
NAMED_LANGUAGE = (
    rf"(?<![\w.])(?!(?:django|flask|fastapi|pandas|numpy|pytorch|tensorflow|pygame|tkinter)\b)({_PLAIN_LANGUAGES})(?!\w)|"
    r"(?<=in )(?:go|c|r|swift|dart|julia)\b|(?<=to )(?:go|swift|dart|julia)\b"
)

# What is code whatever stands around it ...
_CODE_NOUNS = (
    r"(?<!party )functions?\b(?! (?:room|hall)\b)|\w*funktion(?:en)?|fonctions?|función|funciones|funcion|função|"
    r"функци\w*|скрипт\w*|"
    r"algorithms?|algorithmus|algorithme|algoritmo|"
    r"code ?snippets?|snippets?|regex(?:es|p)?|regular expressions?|regulären ausdruck|"
    r"expression régulière|expresión regular|(?:unit ?|property based |integration )tests?|"
    r"decorators?|one ?liners?|dockerfile|makefile|"
    r"(?<!qr )(?<!zip )(?<!dress )(?<!promo )(?<!discount )(?<!building )(?<!bar )(?<!area )(?<!ethics )"
    r"(?:code|quellcode|código)\b(?! (?:of|de) )|"
    r"(?:un|le|du) code\b|list comprehensions?|stored procedures?|rest(?:ful)? (?:api|endpoint|service)|"
    r"web ?scraper|parsers?|lexer|tokenizer|interpreter|compiler|rate limiter|"
    r"l[rf]u(?: ?cache)?|linked ?list|binary (?:search|tree|heap)|search tree|hash ?(?:map|table|set)|trie|"
    r"(?:quick|merge|bubble|heap|insertion|selection|radix|topological) ?sort|fizz ?buzz|fibonacci|factorial|"
    r"sieve of eratosthenes|dijkstra\w*|levenshtein|edit distance|ring buffer|circular buffer|bloom filter|"
    r"priority queue|thread ?pool|state machine|game of life|tic ?tac ?toe|matrix multiplication|debounce|"
    r"\w+ ?\(\)"
)
# ... and what is code only beside a programming language's name.
_AMBIGUOUS_NOUNS = (
    r"programs?|programm|programme|programa|scripts?|skript|class(?:es)?|klasse|classe|clase|method|methode|"
    r"méthode|método|quer(?:y|ies)|abfrage|requête|consulta|commands?|befehl|commande|applications?|apps?|"
    r"games?|tools?|bots?|servers?|clients?|apis?|services?|pages?|websites?|components?|tests?|modules?|"
    r"librar(?:y|ies)|packages?|implementations?|solutions?|calculator|cli|interfaces?|types?|structs?|enums?|"
    r"macros?|hooks?|loops?|generators?|iterators?|statements?|utility|crawler|scraper|examples?"
)
CODE_OBJECT = (
    rf"\b(?:{_CODE_NOUNS})(?!\w)|"
    rf"(?<![\w.])(?:{_ANY_LANGUAGE}) (?:\w+ )?(?:{_AMBIGUOUS_NOUNS})\b|"
    rf"\b(?:{_AMBIGUOUS_NOUNS}) (?:{_PLAIN_LANGUAGES})(?!\w)|"
    rf"\b(?:in|using|with|mit|auf|en|avec|usando|con) (?:{_PLAIN_LANGUAGES})(?!\w)|"
    rf"\b(?:in|using) (?:c|go|r|swift|dart|julia|react)(?= ?(?:$|,|that|which|to|with|using|for))"
)
# After "write": everyday programs and scripts are not written "that ..." or "to ...".
WRITTEN_OBJECT = (
    r"\b(?:small |short |simple |little )?(?:program(?:m|a)?|scripts?|skript|query) (?:that|which|to|die|das)\b"
)
# After "implement": what nobody but a programmer implements.
STRUCTURE = (
    r"\b(?:stack|queue|heap|tree|graph|deque|cache|set|map|matrix|vector)\b(?= ?(?:$|,|using|with|class|from scratch))"
)
# After "fix": what is broken.
BROKEN = (
    r"\b(?:bugs?|(?:syntax|type|value|key|name|index|import|compile|compiler|runtime|build|linker) ?errors?|"
    r"tracebacks?|segfaults?|memory leak|race condition|(?:failing|unit) tests?|stack ?trace|fehler im code)\b"
)
# What makes an order one for prose when it comes before the code word.
PROSE_OBJECT = (
    r"\b(?:e ?mails?|poem|haiku|limerick|sonnet|song|lyrics|melody|story|stories|tale|novel|letter|post|article|"
    r"report|summary|summaries|paragraphs?|sentences?|speech|talk|review|press release|memo|plan|policy|policies|"
    r"strategy|guide|tutorial|explanation|overview|introduction|comparison|description|proposal|"
    r"essays?|differences?|feedback|instructions?|reasons?|examples? of|history|resume|cv|"
    r"biography|bio|slogan|tagline|headline|caption|tweet|joke|dialogue|scene|screenplay|movie|film|video|podcast|"
    r"course|lesson|curriculum|quiz|questions?|presentation|slides?|agenda|checklist|list of|table of|names?|title|"
    r"grammar|spelling|typos?|wording|text|about|describing|explaining|comparing|training|workout|fitness|diet|"
    r"hiring|marketing|loyalty|recycling|onboarding|gedicht|brief|aufsatz|geschichte|bericht|zusammenfassung|artikel|"
    r"rede|lied|text|über|poème|lettre|histoire|rapport|résumé|sur|poema|carta|historia|informe|resumen|"
    r"ensayo|artículo|sobre)\b"
)
_COMPOUND_HEADS = (
    r" (?!(?:after|under|never|other|their)\b)(?:\w{3,}(?:er|or)|functions?|funktion|class|api|script|app|code|regex)\b"
)
PROSE_BUT_NOT_COMPOUND = rf"(?:{PROSE_OBJECT})(?!{_COMPOUND_HEADS})"

WRITE_VERBS = words(
    """write code program implement create build develop make generate give show provide produce add complete solve
    rewrite extend schreib schreibe schreiben implementiere implementieren erstelle erstellen programmiere
    programmieren entwickle entwickeln gib zeig écris écrivez écrire implémente implémentez crée créez génère donne
    escribe escribir implementa implementar crea crear programa genera haz dame
    escreva implemente crie напиши напишите реализуй создай"""
)
PLAIN_WRITE_VERBS = words("write code schreib schreibe schreiben écris écrivez écrire escribe escribir")
STRUCTURE_VERBS = words("implement code implementiere implémente implementa")
FIX_VERBS = words(
    """fix debug refactor optimize optimise improve simplify correct rewrite complete finish modify change update repair
    korrigiere behebe repariere refaktoriere optimiere verbessere corrige corrigez répare améliore arregla mejora"""
)
# Such verbs also stand in requests for advice ("optimize a server"), unless they point at something.
POINTED_AT = (
    r"(?:up )?(?:this|the|my|our|these|those|following|diese\w*|den|die|das|meine?\w*|cette|ce|ma|mon|"
    r"le|la|esta|este|mi|el)\b"
)
CONVERT_VERBS = words(
    "convert translate port transpile rewrite übersetze konvertiere traduis convertis traduce convierte"
)
CONVERTED_CODE = rf"\b(?:to|into|in|nach|en|a) (?:(?:idiomatic|modern|plain) )?{LANGUAGE}(?!\w)"
GERMAN_INFINITIVES = words("schreiben implementieren erstellen programmieren entwickeln korrigieren beheben")

# What may stand before the verb of an order: "could you please now write ...".
LEAD_IN = words(
    """please pls kindly can could would will you now then also and just help me us i we need want like d ll to let s
    lets hey hi hello ok okay so first next finally your the task job goal is it must should have try go ahead in using
    with again still only simply bitte kannst könntest kann könnten können sie du mir uns und dann jetzt ich möchte will
    brauche peux pouvez tu vous veux pourriez s'il te vous plaît puedes podrías por favor quiero que"""
)
JOINTS = words("and then please und dann bitte et puis y luego")
QUESTION = words(
    """how why what when where who whose which explain describe discuss does did do is are was were should difference
    wie warum was wann wo wer welche erkläre comment pourquoi quoi explique cómo por qué explica means mean"""
)

TERSE_ORDER = (
    rf"^(?:an? )?(?:(?:{_ANY_LANGUAGE}) (?:functions?|script|one ?liner|snippet|quer(?:y|ies)|regex|code|decorator|program)"
    r" (?:to|that|which)\b|regex (?:to|for|that|matching)\b|one ?liner (?:to|that|for)\b)"
)
CHINESE_ORDER = (
    r"(?:写|编写|实现|开发|生成|修复|重构|优化|创建)(?!一?[篇首封])[^。!?！？\n]{0,30}?"
    r"(?:函数|代码|脚本|算法|程序|正则表达式|单元测试|缓存|链表|二叉树|排序)"
)
CHINESE_QUESTION = r"如何|怎么|怎样|为什么|什么是|解释"

CODE_MENTION = (
    rf"(?<![\w.]){LANGUAGE}(?!\w)|\b(?:code|coding|codebase|programming|programmer|programmieren|programmation|"
    r"programación|source code|functions?|methods?|algorithms?|algorithmus|funktion|fonction|función|script|skript|"
    r"regex|compiler?|tracebacks?|segfaults?|stack ?trace|unit ?tests?|refactor\w*|debug\w*|linters?|subclass|"
    r"exception|docker\w*|git|npm|pip|api|endpoint|recursion|pointers?|linked lists?|binary search|hash ?maps?|lru)\b|"
    r"`[^`\n]+`|\b\w+\(\)|\b[\w-]+\.(?:py|js|ts|tsx|jsx|rs|go|java|c|cpp|h|hpp|cs|rb|php|sh|sql|kt|swift|html|css)\b|"
    r"函数|代码|编程|脚本|算法|程序"
)

JSON_VERBS = words(
    """return respond answer reply output give provide produce print emit generate write format present extract send
    create convert transform turn express make serialize antworte gib liefere erzeuge erstelle formatiere réponds
    répondez renvoie retourne donne responde devuelve dame genera"""
)
REPLY_VERBS = words("respond answer reply output antworte réponds répondez responde")
CONVERSION_VERBS = words("convert transform turn serialize format translate")
_JSON = (
    r"json\b(?! ?(?:lines|schema|parser|librar|web|viewer|editor|api|decoder|encoder|serializ|tutorial|to\b|into\b))"
)
_JSON_FILLER = (
    r"(?:only|just|me|us|back|out|with|in|as|a|an|the|your|it|valid|strict|strictly|pure|raw|plain|compact|minified|"
    r"single|one|well|formed|nothing|but|following|results?|answers?|output|response|mir|uns|nur|ein|eine|einen|"
    r"gültige[sm]?|als|mit|im|au|en|un|une|du|solo|sólo|uniquement|seulement|válido|valide|formate?|formato)"
)
JSON_MANNER = rf"\b(?:as|in|als|im|en|to|into|nach|using) (?:{_JSON_FILLER} )*{_JSON}"
JSON_OBJECT = rf"^(?:{_JSON_FILLER} )*{_JSON}|{JSON_MANNER}"
# Who makes or takes JSON later on, or what only talks about it, when it comes before the word.
JSON_BYSTANDER = (
    r"\b(?:programs?|apps?|tools?|endpoints?|apis?|services?|scripts?|functions?|parsers?|servers?|pages?|class|"
    r"component|library|models?|types?|explanation|tutorial|guide|article|post|essay|how|why|parse\w*|treat\w*|"
    r"stor(?:e|ed|ing)|interpret\w*|load\w*|decod\w*|read|funktion|skript|fonction|función)\b"
)
JSON_ANSWER = (
    rf"[,(] ?(?:as|in|als) (?:{_JSON_FILLER} )*{_JSON}|"
    rf"\bas (?:{_JSON_FILLER} )*{_JSON}|\b(?:in|im) (?:{_JSON_FILLER} )*json[ -]?format|"
    r"\bjson only\b|\bonly (?:valid )?json\b|"
    r"\b(?:output|answer|response|reply|result) (?:should|must|has to|needs to|shall) be (?:in )?(?:a |valid )*json\b|"
    r"(?:以|用|按|返回|输出)(?:一个|有效的|标准)* ?json|json ?格式(?:输出|返回|回答|回复)"
)
