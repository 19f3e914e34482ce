// Result<T>: a value or an Error, never ignored; and the macros that pass errors up.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace tombolo {

/// A value of T or an Error. Converts implicitly from both, so functions `return value;` or `return Error{...};`.
/// Default-constructed it is an internal error ("result never set"), except Result<void>, which is success.
template <class T = void>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result() : state_(std::unexpected(Error{Code::kInternal, "result never set"})) {}
  Result(Error error) : state_(std::unexpected(std::move(error))) {}  // NOLINT: implicit on purpose
  template <class U = T>
    requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error>)
  Result(U&& value) : state_(std::forward<U>(value)) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return *state_; }
  const T& operator*() const& { return *state_; }
  T&& operator*() && { return *std::move(state_); }
  T* operator->() { return &*state_; }
  const T* operator->() const { return &*state_; }

  Error& error() & { return state_.error(); }
  const Error& error() const& { return state_.error(); }
  Error&& error() && { return std::move(state_).error(); }

 private:
  std::expected<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : state_(std::unexpected(std::move(error))) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }
  void operator*() const {}

  Error& error() & { return state_.error(); }
  const Error& error() const& { return state_.error(); }
  Error&& error() && { return std::move(state_).error(); }

 private:
  std::expected<void, Error> state_;
};

}  // namespace tombolo

#define TOMBOLO_CONCAT_(a, b) a##b
#define TOMBOLO_CONCAT(a, b) TOMBOLO_CONCAT_(a, b)
#define TOMBOLO_TRY_(tmp, expr, ret) \
  auto tmp = (expr);                 \
  if (!tmp.ok()) ret std::move(tmp).error()
#define TOMBOLO_TRY_ASSIGN_(tmp, decl, expr, ret) \
  auto tmp = (expr);                              \
  if (!tmp.ok()) ret std::move(tmp).error();      \
  decl = *std::move(tmp)

// Statements (GCC cannot co_await inside a statement expression). One per line.
// TRY(f());  TRY_ASSIGN(auto x, f());  CO_TRY(task());  CO_TRY_ASSIGN(auto x, task());
#define TRY(expr) TOMBOLO_TRY_(TOMBOLO_CONCAT(try_, __LINE__), expr, return)
#define TRY_ASSIGN(decl, expr) TOMBOLO_TRY_ASSIGN_(TOMBOLO_CONCAT(try_, __LINE__), decl, expr, return)
// Inside a coroutine. CO_TRY awaits `expr`; CO_CHECK passes up a Result that needs no awaiting.
#define CO_TRY(expr) TOMBOLO_TRY_(TOMBOLO_CONCAT(try_, __LINE__), co_await (expr), co_return)
#define CO_TRY_ASSIGN(decl, expr) TOMBOLO_TRY_ASSIGN_(TOMBOLO_CONCAT(try_, __LINE__), decl, co_await (expr), co_return)
#define CO_CHECK(expr) TOMBOLO_TRY_(TOMBOLO_CONCAT(try_, __LINE__), expr, co_return)
#define CO_CHECK_ASSIGN(decl, expr) TOMBOLO_TRY_ASSIGN_(TOMBOLO_CONCAT(try_, __LINE__), decl, expr, co_return)
