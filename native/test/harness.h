// A small test harness: no dependency, one line per failure, exit code 1 where anything failed.
#ifndef SYSOPT_TEST_HARNESS_H_
#define SYSOPT_TEST_HARNESS_H_

#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

namespace sysopt::test {

struct Case {
  const char* name;
  void (*run)();
  Case* next;
};

inline Case*& Cases() {
  static Case* first = nullptr;
  return first;
}
inline int& Failures() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, void (*run)()) { Cases() = new Case{name, run, Cases()}; }
};

template <typename T>
std::string Show(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else {
    return std::string(std::string_view(value));
  }
}

template <typename A, typename B>
void ExpectEqual(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (actual == expected) return;
  ++Failures();
  std::printf("%s:%d: %s is %s, expected %s\n", file, line, text, Show(actual).c_str(),
              Show(expected).c_str());
}

inline void ExpectTrue(bool condition, const char* text, const char* file, int line) {
  if (condition) return;
  ++Failures();
  std::printf("%s:%d: not true: %s\n", file, line, text);
}

inline int RunAll() {
  int count = 0;
  for (const Case* test = Cases(); test; test = test->next, ++count) {
    const int before = Failures();
    test->run();
    if (Failures() != before) std::printf("FAILED %s\n", test->name);
  }
  std::printf("%d tests, %d failures\n", count, Failures());
  return count == 0 || Failures() != 0;
}

}  // namespace sysopt::test

#define TEST(name)                                                                \
  static void Test##name();                                                       \
  static const sysopt::test::Registration registration_##name(#name, Test##name); \
  static void Test##name()
#define EXPECT_EQ(actual, expected) sysopt::test::ExpectEqual(actual, expected, #actual, __FILE__, __LINE__)
#define EXPECT(condition) sysopt::test::ExpectTrue(condition, #condition, __FILE__, __LINE__)

int main() { return sysopt::test::RunAll(); }

#endif  // SYSOPT_TEST_HARNESS_H_
