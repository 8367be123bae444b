// error: a list in place has up to 16 elements: name a vector

#include <papilio/collective/options.hpp>

const papilio::call_options options{
    .shares = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}};
