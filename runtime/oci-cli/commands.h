#pragma once

#include <string>
#include <vector>

#include "globals.h"
#include "runtime/args/flags.h"

/// Every command's flags and its work. Each returns trine-oci's exit code.
namespace trine::runtime::oci_cli {

using FlagTexts = std::vector<args::FlagText>;
using Arguments = std::vector<std::string>;

FlagTexts global_flag_texts();

// create.cpp
FlagTexts create_flags();
FlagTexts run_flags();
int run_create(const Globals& globals, Arguments arguments);
int run_run(const Globals& globals, Arguments arguments);

// start.cpp
int run_start(const Globals& globals, Arguments arguments);

// end.cpp
FlagTexts kill_flags();
FlagTexts delete_flags();
int run_kill(const Globals& globals, Arguments arguments);
int run_delete(const Globals& globals, Arguments arguments);

// exec.cpp
FlagTexts exec_flags();
int run_exec(const Globals& globals, Arguments arguments);

// show.cpp
FlagTexts list_flags();
FlagTexts ps_flags();
int run_state(const Globals& globals, Arguments arguments);
int run_list(const Globals& globals, Arguments arguments);
int run_ps(const Globals& globals, Arguments arguments);

// control.cpp
int run_pause(const Globals& globals, Arguments arguments);
int run_resume(const Globals& globals, Arguments arguments);

// update.cpp
FlagTexts update_flags();
int run_update(const Globals& globals, Arguments arguments);

// mounts.cpp
int run_mounts(const Globals& globals, Arguments arguments);

// events.cpp
FlagTexts events_flags();
int run_events(const Globals& globals, Arguments arguments);

// about.cpp
FlagTexts spec_flags();
int run_spec(const Globals& globals, Arguments arguments);
int run_features(const Globals& globals, Arguments arguments);

// checkpoint.cpp
FlagTexts checkpoint_flags();
FlagTexts restore_flags();
int run_checkpoint(const Globals& globals, Arguments arguments);
int run_restore(const Globals& globals, Arguments arguments);

}  // namespace trine::runtime::oci_cli
