# Builds the addon that users get. The source lists below equal those of CMakeLists.txt; a test holds them so.
{
  "targets": [
    {
      "target_name": "sysopt",
      "sources": [
        "native/core/status.cc",
        "native/core/counters/counter_group.cc",
        "native/core/figures/cgroup.cc",
        "native/core/figures/process.cc",
        "native/core/figures/tick.cc",
        "native/core/kernels/dispatch.cc",
        "native/core/kernels/filter.cc",
        "native/core/kernels/move.cc",
        "native/core/kernels/reduce.cc",
        "native/core/memory/region.cc",
        "native/core/probe/memory_probe.cc",
        "native/core/procfs/cgroup.cc",
        "native/core/procfs/process.cc",
        "native/core/procfs/smaps.cc",
        "native/core/procfs/text.cc",
        "native/core/sched/thread.cc",
        "native/binding/addon.cc",
        "native/binding/arguments.cc",
        "native/binding/capabilities.cc",
        "native/binding/counters.cc",
        "native/binding/errors.cc",
        "native/binding/figures.cc",
        "native/binding/kernels.cc",
        "native/binding/memory.cc",
        "native/binding/probe.cc",
        "native/binding/sched.cc",
      ],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags_cc!": ["-fno-exceptions", "-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": ["-std=c++20", "-O2", "-fexceptions", "-fvisibility=hidden", "-ffp-contract=off", "-Wall", "-Wextra"],
      "conditions": [
        ["OS=='linux'", {"sources": ["native/core/os/posix.cc", "native/core/os/linux.cc", "native/core/os/linux_counters.cc"]}],
        [
          "OS=='mac'",
          {
            "sources": ["native/core/os/posix.cc", "native/core/os/darwin.cc"],
            "xcode_settings": {
              "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
              "CLANG_CXX_LIBRARY": "libc++",
              "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
              "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
              "GCC_OPTIMIZATION_LEVEL": "2",
              "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off"],
              "MACOSX_DEPLOYMENT_TARGET": "11.0",
            },
          },
        ],
        [
          "OS=='win'",
          {
            "sources": ["native/core/os/windows.cc"],
            "defines": ["_HAS_EXCEPTIONS=1", "NOMINMAX", "WIN32_LEAN_AND_MEAN"],
            "msvs_settings": {
              "VCCLCompilerTool": {"ExceptionHandling": 1, "AdditionalOptions": ["/std:c++20"]},
            },
          },
        ],
      ],
    },
  ],
}
