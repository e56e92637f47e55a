"""Kill commands, let their system calls fail, cut the power, run them at once, feed them garbage.

`make torture` runs it, adds its tries up in docs/reliability.json, and writes docs/reliability.md from that
file.
"""
