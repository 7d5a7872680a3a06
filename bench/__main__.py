"""All of them, one after the other."""

from bench import listeners, memory, say, ttfa

for bench in (ttfa, listeners, say, memory):
    bench.main()
