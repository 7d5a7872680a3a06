"""What /proc/cpuinfo says of some processors."""

INTEL = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8488C
flags\t\t: fpu sse2 avx avx2 avx512f avx_vnni avx512_bf16 avx512_vnni amx_bf16 amx_tile amx_int8
bogomips\t: 4800.00

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
AMD = """\
processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 7R13 Processor
flags\t\t: fpu sse2 avx avx2 sha_ni vaes vpclmulqdq
"""
OLD = "model name\t: Intel(R) Core(TM) i7-2600 CPU @ 3.40GHz\nflags\t\t: fpu sse2 avx\n"
ARM = """\
processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd evtstrm aes crc32 atomics asimdhp asimddp sve asimdfhm i8mm bf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""
RASPBERRY = """\
processor\t: 0
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU part\t: 0xd08

Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
