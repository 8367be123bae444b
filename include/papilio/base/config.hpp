#pragma once

/// papilio is header-only unless told otherwise: every function is defined where it is declared, or
/// in a header that its own header includes.
///
/// With `PAPILIO_SEPARATE_COMPILATION` defined in the whole program, headers declare what is no
/// template, and one translation unit includes `papilio/src.hpp`, which defines it. The mode is
/// part of every name, by an inline namespace, so that mixing both is a link error.
#ifdef PAPILIO_SEPARATE_COMPILATION
#define PAPILIO_MODE compiled
#define PAPILIO_DECL
#else
#define PAPILIO_MODE header_only
#define PAPILIO_DECL inline
#define PAPILIO_HEADER_ONLY
#endif

/// Marks what there is one of in a process, whatever shared objects it is compiled into: it is
/// shared among them even if they hide all other names (-fvisibility=hidden).
#define PAPILIO_SHARED __attribute__((visibility("default")))
