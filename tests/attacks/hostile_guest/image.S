// The 32-bit program in the file that a monitor takes for a kernel: ELF of 64 bits, with the note by which it is
// entered (Xen's PHYS32_ENTRY, 18).
.section .note.pvh, "a", @note
.long 4, 4, 18
.asciz "Xen"
.long _start
.section .text
.globl _start
_start:
.incbin HOSTILE_GUEST
.section .note.GNU-stack, "", @progbits
