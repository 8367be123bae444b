#pragma once

// The five compressions of hivemind, byte by byte.

#include <papilio/codec/hivemind/blockwise8.hpp>
#include <papilio/codec/hivemind/float16.hpp>
#include <papilio/codec/hivemind/meanstd16.hpp>
#include <papilio/codec/hivemind/quantile8.hpp>
#include <papilio/codec/hivemind/uniform8.hpp>
