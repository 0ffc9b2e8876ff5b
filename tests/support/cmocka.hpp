// SPDX-License-Identifier: BSD-3-Clause
//
// cmocka for C++: its prerequisites, without its macro `fail`, which is a function here.
#pragma once

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

extern "C" {
#include <cmocka.h>
}
#undef fail
#undef fail_msg
#define fail_msg(message, ...)                                      \
  do {                                                              \
    print_error("ERROR: " message "\n" __VA_OPT__(, ) __VA_ARGS__); \
    _fail(__FILE__, __LINE__);                                      \
  } while (false)

// Fails with both values unless |a - b| <= bound; also where one of them is NaN.
#define assert_near(a, b, bound)                                                         \
  do {                                                                                   \
    const double value_a_ = (a);                                                         \
    const double value_b_ = (b);                                                         \
    const double difference_ =                                                           \
        value_a_ < value_b_ ? value_b_ - value_a_ : value_a_ - value_b_;                 \
    if (!(difference_ <= (bound)))                                                       \
      fail_msg("%s = %.17g and %s = %.17g differ by %.3g, more than %.3g", #a, value_a_, \
               #b, value_b_, difference_, static_cast<double>(bound));                   \
  } while (false)

#define assert_at_most(value, bound)                                                     \
  do {                                                                                   \
    const double value_ = (value);                                                       \
    if (!(value_ <= (bound)))                                                            \
      fail_msg("%s = %.6g, more than %.6g", #value, value_, static_cast<double>(bound)); \
  } while (false)

#define assert_status(call, expected)                                         \
  do {                                                                        \
    const specex_status status_ = (call);                                     \
    if (status_ != (expected))                                                \
      fail_msg("%s gave %s, expected %s", #call, specex_status_name(status_), \
               specex_status_name(expected));                                 \
  } while (false)
