// The first bytes of the hostile guest, behind the page of image.S's headers: PVH's start info is at %ebx, and in it, at 24, the
// address of the command line.
.code32
.globl _start
_start:
  cli
  movl $0x700000, %esp
  pushl 24(%ebx)
  call run
.section .note.GNU-stack, "", @progbits
