#pragma once

// Many contributions of a range into one: a mean, a sum, an extreme.

#include <papilio/op/base.hpp>
#include <papilio/op/exact_mean.hpp>
#include <papilio/op/max.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/op/min.hpp>
#include <papilio/op/prod.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/op/weighted_mean.hpp>
#include <papilio/op/with_op.hpp>
