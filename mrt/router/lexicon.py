"""The words that the rules look for, in several languages: `stem*` matches the start of a word, the rest match whole"
" words."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """The words of a text, to look others up in."""
    return frozenset(text.split())


# Each kind of signal with its words. Strong signals count alone, ambiguous verbs only together with a scope.
WORDS = {
    "strong": (
        "refactor* rearchitec* architectur* migrat* redesign* restructur* replatform* overhaul* ultrathink moderniz*"
        " modernis*"
        " architecting architected"
        " refaktor* architektur* migrier* umstrukturier* refactoris* réarchitec* refond* restructurez migrer migrez migre migra"
        " grundursache* fehlerursache* kernursache*"
        " refactoriz* refator* arquitect* arquitet* rediseñ* redesenh* reestructur* reestrutur* migrar rifattoriz*"
        " riprogett*"
        " рефактор* архитектур* мигрир* миграц* перепроектир* реструктур* первопричин* сквозн*"
    ),
    "ambiguous": (
        "implement* debug* optimiz* optimis* design designs designing build builds building fix fixes fixing rewrite"
        " rewriting"
        " rework* decompose decoupl* modulari* integrate integrating develop developing extend convert implementier*"
        " optimier* entwirf* entwerf* entwickl*"
        " erstell* baue behebe* implément* débog* conçoi* concev* développ* corrige* depur* diseñ* desarroll* otimiz*"
        " projete* desenvolv* crea crear cria criar реализ* отлад* оптимиз* спроектир* проектир* разработ* исправ* созда*"
        " построй* navrhni*"
        " untangl* unify consolidat* upgrade upgrading standardi* troubleshoot* vereinheitlich* debuggue*"
    ),
    "scope": (
        "whole entire across several multiple system systems everywhere throughout repo workspace fleet cluster"
        " scalable suite"
        " distributed microservi* pipelin* infrastructure codebas* monorepo* monolith* platform plattform* plataform*"
        " repositor* everything"
        " ganze ganzen ganzer ganzes komplette* gesamt* mehrere* verteilt* infrastrukt* systeme ensemble entier* entière*"
        " toute plusieurs système* varios varias vários várias sistem* entero entera inteiro inteira toda distribuid*"
        " весь всей всю вся всё целиком распредел* нескольк* систем* платформ* инфраструкт* микросервис* конвейер*"
    ),
    "planning": (
        "strateg* stratég* optimal* optimum tradeoff* roadmap* investigat* prioritize prioritise diagnose* forecast*"
        " fahrplan* estrateg* estratég* óptim* ótim* стратег* оптимальн* компромисс* планиров*"
    ),
    "judgement": (
        "analyze analyzes analyse evaluate assess assessing compare comparing research recommend critique justify"
        " analysier* bewert* vergleich* analysez évalue* comparez analiza analice evalúa evalua compara analise avalie"
        " проанализир* оцени* сравни*"
    ),
    "proof": (
        "prove proves proof proofs derive derives derivation beweis* herleit* démontr* prouve* demuestr* deduz* dedúc*"
        " докаж* доказат* выведи*"
    ),
    "code": (
        "implement* implément* write code program programm programa create build develop schreib* erstell* écri*"
        " escrib* escrev*"
        " crea cria crée codifica напиши* реализ* созда*"
    ),
    "structure": (
        "cache caches trie tries tree trees heap heaps graph queue queues deque hashmap hashtable parser* lexer* compiler*"
        " interpreter* scheduler* allocator* algorithm* semaphore* mutex* iterator* bloom btree skiplist tokenizer* crawler*"
        " debounc* throttl* middleware* balancer* limiter* serializer* consensus raft paxos crdt* regex solver* simulator*"
        " emulator* lru lfu кэш кэша кэше кэши кэширу* дерев* очеред* algorithmus baum warteschlange*"
        " dijkstra* quicksort mergesort heapsort bfs dfs knapsack sudoku memoiz* backtrack* binärb* multithread* algoritm*"
        " алгоритм* arbre árbol* árvore*"
        " algorithme*"
    ),
    "step": (
        "then next after afterwards finally lastly before depends depending between first second third dann danach"
        " zuerst ensuite"
        " puis avant luego después antes depois затем потом сначала"
    ),
}
PHRASES = {
    "strong": (
        "root cause|root causes|think hard|think harder|think very hard|think deeply|think long and hard|re architect"
        "|re design|re designing|re architecture|re architecting|re engineer|re engineering|end to end|ground up"
        "|causa principale|causa radice|cause première|finde die ursache|ermittle die ursache"
        "|ursache des absturzes|ursache des fehlers|найди причину|причину сбоя|причину падения"
        "|architect a|architect an|architect our|architect this"
        "|re factor|re platform|causa raíz|causa raiz|cause racine|cause profonde|denk gründlich|denke gründlich"
        "|réfléchis bien|piensa bien|piensa a fondo|pense bem|de bout en bout|de extremo a extremo|de ponta a ponta"
        "|ende zu ende|корневую причину|коренную причину|подумай хорошо|хорошенько подумай"
    ),
    "ambiguous": "set up|port the|port this|port our|port it|split the|split this|split up|break up|take apart",
    "scope": (
        "from scratch|every file|every module|every service|all files|all the files|all modules|all services"
        "|all of the files"
        "|all our services|all the services|all the modules|all tests|all endpoints|large scale|high throughput|multi tenant"
        "|multi region|real time|fault tolerant|von grund auf|von null|de zéro|à travers|desde cero|a través|do zero|с нуля"
        "|code base|each service|each module|both services"
    ),
    "planning": (
        "trade off|trade offs|pros and cons|step by step plan|compare and|analyze why|analyse why|figure out why"
        "|work out why"
        "|weigh the|devise a|come up with a plan|road map|critical path|vor und nachteile|avantages et inconvénients"
        "|ventajas y desventajas|vantagens e desvantagens|плюсы и минусы"
    ),
    "proof": "show that|leite her|leite die",
}
# Scripts without spaces: what to find anywhere in the text.
DENSE = {
    "strong": (
        "重构 重新设计 架构 迁移 根本原因 根因 端到端 跨文件 深入思考 仔细思考 重構 架構 遷移"
        " リファクタ アーキテクチャ 移行 再設計 리팩터 리팩토 아키텍처 마이그레이션 재설계 근본"
    ),
    "ambiguous": "实现 调试 优化 设计 开发 修复 构建 實現 設計 実装 デバッグ 最適化 開発 구현 디버그 최적화 설계 개발",
    "scope": "整个 全部 所有 多个 系统 平台 从零 分布式 微服务 整個 系統 全体 複数 システム 分散 전체 시스템 여러 분산",
    "planning": "规划 策略 战略 最优 权衡 路线图 計画 戦略 最適 전략 최적",
    "judgement": "分析 评估 比较 对比 評価 比較 분석 평가 비교",
    "proof": "证明 推导 證明 証明 導出 증명 유도",
    "code": "实现 编写 写一个 実装 구현",
    "structure": "缓存 树 堆 队列 算法 解析器 编译器 调度 キャッシュ アルゴリズム 캐시 트리 알고리즘",
    "step": "然后 接着 首先 最后 次に まず",
}

# "across" is strong when what follows within a few words is a place of more than one part.
ACROSS = frozenset(("across", "throughout"))
ACROSS_WHAT = word_set(
    "files modules services packages codebase repo repos repository repositories pipeline pipelines layers components"
    " systems"
    " system projects project stack whole entire teams microservices platforms directories apps clients tests endpoints"
    " branches environments"
)
PLAN_VERBS = word_set(
    "plan plane planifie planifiez planifica planeja planeje спланируй запланируй распланируй naplánuj"
)
ARTICLES = word_set(
    "the a an our my this out how to der die das den eine einen le la les un une el una los o os as um uma"
)
NEGATORS = word_set(
    "no not without don dont doesn doesnt needn avoid never isn skip kein keine keinen ohne nicht sans pas sin sem"
    " não без не"
    " нет senza bez shouldn mustn"
)
# "I do not want you to migrate it": between the negation and its verb these say nothing.
WISHING = word_set("want wants need you us me to going asking asked for have")
INSTEAD = (
    "instead of",
    "rather than",
    "anstatt",
    "statt",
    "au lieu de",
    "plutôt que",
    "en lugar de",
    "en vez de",
    "em vez de",
    "вместо",
)
NEGATORS_DENSE = ("不需要", "无需", "不要", "不用", "没有")
# "What is refactoring?" asks for a definition, whatever word it names.
DEFINING = (
    "what is",
    "what s",
    "whats",
    "what are",
    "what does",
    "define",
    "was ist",
    "was sind",
    "was bedeutet",
    "que es",
    "qué es",
    "qu est ce que",
    "qu est ce qu",
    "c est quoi",
    "o que é",
    "что такое",
    "cos è",
    "meaning of",
    "definition of",
    "explain the term",
    "what do you mean by",
)
DEFINING_DENSE = ("什么是", "是什么", "とは", "이란")
EXTENSIONS = word_set(
    "ts tsx js jsx mjs cjs py pyi go rs java kt kts scala c h cc cpp cxx hpp hh cs rb php swift sql toml yaml yml"
    " json md rst"
    " txt html css scss sh bash zsh ps1 vue svelte ex exs erl hs ml lua dart tf proto graphql gradle xml ini cfg conf"
    " csv ipynb"
    " r jl zig sol lock"
)
EXTENSIONLESS = ("makefile", "dockerfile", "jenkinsfile", "gemfile", "rakefile", "procfile", "justfile")
