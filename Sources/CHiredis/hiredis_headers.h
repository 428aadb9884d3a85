/*
 * The part of the system's libhiredis that Headgate uses: its command formatter and its reply reader. Sockets and the
 * async API stay out: sockets belong to SwiftNIO.
 */
#ifndef CHIREDIS_HIREDIS_HEADERS_H
#define CHIREDIS_HIREDIS_HEADERS_H

#if defined(__has_include)
#if !__has_include(<hiredis/hiredis.h>)
#error "hiredis' headers are missing: apt-get install libhiredis-dev (Debian, Ubuntu), brew install hiredis (macOS)"
#endif
#endif

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

#endif
