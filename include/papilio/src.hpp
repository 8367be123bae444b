#pragma once

/// Include this in one translation unit of a program that is compiled with
/// `PAPILIO_SEPARATE_COMPILATION`: it defines what the other headers declare.

#ifndef PAPILIO_SEPARATE_COMPILATION
#error "papilio/src.hpp is for programs that define PAPILIO_SEPARATE_COMPILATION everywhere"
#endif

#include <papilio/collective/impl/agree_links.hpp>
#include <papilio/collective/impl/run.hpp>
#include <papilio/sim/impl/world.hpp>
