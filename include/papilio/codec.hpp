#pragma once

// Elements to bytes and back.

#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/centred.hpp>
#include <papilio/codec/choice.hpp>
#include <papilio/codec/error_feedback.hpp>
#include <papilio/codec/f16b.hpp>
#include <papilio/codec/finite_only.hpp>
#include <papilio/codec/fp4.hpp>
#include <papilio/codec/fp8.hpp>
#include <papilio/codec/hivemind.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/nf4b.hpp>
#include <papilio/codec/randk.hpp>
#include <papilio/codec/sign1.hpp>
#include <papilio/codec/stochastic.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/codec/two_way.hpp>
#include <papilio/codec/with_codec.hpp>
