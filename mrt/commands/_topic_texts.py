"""`mrt help checks`, `budgets` and `sandbox`: what is promised, as text."""

from __future__ import annotations

CHECKS_TEXT = """\
An answer is accepted when it passes every check of its tier; else the next tier is asked, and stderr says why.
  finish            the server says that the answer is whole (always on)
  empty             there is an answer (always on)
  refusal           it is not a refusal or "I don't know"
  repetition        it does not loop; a looping answer is stopped while it streams
  code              where code was asked for: fences closed, Python compiles, JSON parses, brackets balance
  json              where JSON was asked for: it parses
  confidence=0.45   mean probability of the tokens, where the server gives it (llama.cpp, vLLM, Ollama)
  verify=COMMAND    the answer on the command's stdin; exit 0 accepts, its stderr is the reason (also --verify)
  agree, agree=MODEL   another local model, or a second sample, gives the same answer (also --agree)
`checks = ["code", "confidence=0.6"]` under [tiers.NAME] replaces the usual ones: refusal, repetition, code, json,
confidence=0.45. --schema adds a check of its own."""

BUDGETS_TEXT = """\
A budget is a promise: N processes on one machine never start a paid call when what is settled, what is reserved and the most
this call can cost exceed it together. A call that was sent is never forgotten, and an unknown price is never zero.
  before   the most the call can cost (the prompt's tokens and the token limit at the model's price) is reserved in the store,
           before each paid attempt, at every escalation; what does not fit is not sent, and the cascade stays local: a model
           that had handed the prompt on is asked once more, to answer it itself
  after    the reservation is settled to what the call came to: reported by the server, else priced from tokens; of a cut stream
           what came counts, and where nothing is known the reserved bound does
  later    a reservation whose process died, or that is an hour old, is closed at its bound by the next run
  unknown  without a price there is no bound: such a call is refused, unless --allow-unpriced or a price in [prices]
Days and months are the calendar's in budget.timezone; changing it counts all days anew. Without it they stay those of the zone
in which the first call was booked, TZ or the machine's.
What it cannot promise: that the provider's bill agrees, or that a server respects the token limit. A call that cost more than its
bound is booked in full.
  mrt spend            the report          mrt spend check    exit 0 within, 5 over
  mrt spend why ID     one call's cost     mrt spend doctor   whether the store is sound
Savings compare the answers with what the strongest paid tier would have taken for them, at the prices of their time: a range,
since another model counts and answers differently (input -20 to +25 %, output half to double). What rejected attempts cost
counts against it.
Imported calls count in reports, not against the budgets: each machine has its own."""

SANDBOX_TEXT = """\
Code that a model wrote runs only in a child process that can compute and nothing else: `mrt bench` grades answers in it, and
`mrt ask --tests FILE` tries them there. What is expected of the code stays outside; only plain values come back.
  limits      CPU seconds, memory, file size, open files; the wall clock outside, and the whole session is killed at the end
  landlock    no file but the interpreter's own library can be read, none but a scratch folder's written; no TCP, no signals
  seccomp     only system calls that computing needs: no sockets, no processes, no programs, no change of what a file is
  bubblewrap  around the others where it is installed and works
Before the first program, real attacks run inside. If one succeeds, nothing is run and the exit code is 69. `mrt bench doctor`
shows the layers. The ways on: a kernel with Landlock (Linux 5.13 or newer), `mrt bench --executor docker` or podman, or
`mrt bench --speed-only`, which runs no code. Windows has none: use WSL2. On macOS the system's seatbelt takes their place.
What no layer here stops: a fault of the kernel itself, and asking whether a file exists."""
