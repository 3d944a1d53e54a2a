#include <algorithm>
#include <cstdlib>

#include "archive_verbs.h"
#include "attach_verb.h"
#include "base/error.h"
#include "exec_verb.h"
#include "file_verbs.h"
#include "flags.h"
#include "image_verbs.h"
#include "instance_verbs.h"
#include "lifecycle_verbs.h"
#include "log_verb.h"
#include "policy_verb.h"
#include "registry_verbs.h"
#include "run_flags.h"
#include "runtime/engine/run.h"
#include "start_verbs.h"
#include "stats_verb.h"
#include "store_verbs.h"
#include "update_verb.h"
#include "verb.h"
#include "vm_verbs.h"

namespace trine::runtime::cli {
namespace {

int run_run(const engine::Paths& paths, std::vector<std::string> arguments) {
  return engine::run(parse_run(std::move(arguments)), paths);
}

std::vector<FlagText> no_flags() {
  return {};
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"run", "[FLAG]... IMAGE [COMMAND]...", "run an instance of an image",
       "Runs a new instance of IMAGE in the foreground and exits with its exit code; with --detach, in the "
       "background, where it goes on when trine has printed its id: trine logs shows what it writes. IMAGE "
       "is a name or id "
       "in the store; a name that is not there, with or without docker:// before it, is pulled from its "
       "registry. Or it is oci:DIR[:TAG], dir:DIR, oci-archive:FILE, docker-archive:FILE, or bundle:DIR for "
       "an "
       "OCI runtime bundle. An image of another architecture runs when binfmt_misc has an interpreter for "
       "it, as "
       "the package qemu-user-static brings. What stands behind IMAGE is the command. What is pulled or "
       "loaded "
       "for it is subject to the signature policy, containers-policy.json(5), as in trine pull and trine "
       "load; an "
       "image that is stored already is not run when the policy rejects its name. Signatures are verified by "
       "the "
       "pull, not again by each run.",
       "trine run --rm -it debian sh\ntrine run --rm --memory 64m --network none oci:./image ./job",
       run_flag_texts, run_run},
      {"create", "[FLAG]... IMAGE [COMMAND]...", "make an instance, to be started later",
       "Makes what trine run would run, with the same flags, and prints its id: trine start starts it. "
       "Variables that "
       "are taken from the environment, and relative paths, are those of now. Its image is pulled when it "
       "has to be.",
       "trine create --name web -v ./site:/site web:1\ntrine create --name job --rm debian ./job",
       run_flag_texts, run_create},
      {"start", "[FLAG]... INSTANCE...", "start instances that have ended, or were only made",
       "Starts each in the background, with what it was made with and, for a container, the files as it "
       "left them; a VM "
       "begins with its image's. What runs is left as it is. With --attach, stays with it, from the first "
       "byte that "
       "it writes.",
       "trine start web db\ntrine start -ai job", start_flag_texts, run_start},
      {"restart", "[FLAG]... INSTANCE...", "stop instances and start them again",
       "Does what trine stop and trine start do; what does not run is started.",
       "trine restart web\ntrine restart -t 1 web db", stop_flag_texts, run_restart},
      {"pull", "[FLAG]... NAME...", "pull images from registries",
       "Brings images into the store, moving only layers that are missing; a pull that was cut off goes on "
       "where it "
       "stopped. NAME is [HOST[:PORT]/]PATH[:TAG][@DIGEST]; without a host, what registries.conf says, or "
       "Docker's "
       "registry. Prints digest and name. An image that the signature policy, containers-policy.json(5), "
       "does "
       "not "
       "allow is not brought, and one that is stored already does not get the name: rejected ones, and ones "
       "without the "
       "sigstore signature that is demanded. Of an image for several platforms, the signature is on the "
       "manifest of "
       "the platform, not on the index. Without a policy file any image is allowed.",
       "trine pull alpine\ntrine pull --platform linux/arm64 quay.io/team/web:2", pull_flag_texts, run_pull},
      {"push", "[FLAG]... IMAGE [NAME]", "push an image to a registry",
       "Sends IMAGE to the registry that NAME, or else its own name, says; only blobs that are missing "
       "there. A layer "
       "whose bytes as they were shipped are nowhere to be had is packed anew, and the image gets a new "
       "digest then. "
       "Prints digest and name.",
       "trine push registry.example/web:1\ntrine push web:1 localhost:5000/web:1", push_flag_texts, run_push},
      {"login", "[FLAG]... [REGISTRY]", "keep credentials for a registry",
       "Asks for what is not given, tries it at REGISTRY (docker.io), and keeps it where podman and skopeo "
       "look too, "
       "or with the credential helper that is configured.",
       "trine login registry.example\ntrine login -u ci --password-stdin registry.example <token",
       login_flag_texts, run_login},
      {"logout", "[FLAG]... [REGISTRY]", "forget the credentials for a registry",
       "Removes them from all the files in which they are looked for.",
       "trine logout registry.example\ntrine logout --authfile ./auth.json docker.io", logout_flag_texts,
       run_logout},
      {"tag", "IMAGE NAME...", "give an image more names", "A name that another image had is taken from it.",
       "trine tag web:1 web:latest\ntrine tag 3f5a registry.example/web:1", no_flags, run_tag},
      {"images", "[FLAG]...", "list the images in the store", "Lists images: names, ids, age and size.",
       "trine images\ntrine images --format json", images_flag_texts, run_images},
      {"search", "[FLAG]... TERM", "find images in the store by name",
       "Lists the images in the store in whose names TERM stands. Registries are not asked.",
       "trine search web\ntrine search -q registry.example/", images_flag_texts, run_search},
      {"load", "[FLAG]... SOURCE", "load images into the store",
       "Loads the images of SOURCE: oci:DIR[:TAG], dir:DIR, oci-archive:FILE[:TAG] or "
       "docker-archive:FILE[:NAME]. "
       "Every blob's digest is verified. The signature policy, containers-policy.json(5), has rules for "
       "these "
       "transports too; the scopes are paths. They carry no signatures: where one is demanded, nothing is "
       "loaded.",
       "trine load docker-archive:web.tar\ntrine load --name web:2 --platform linux/arm64 oci:./image",
       load_flag_texts, run_load},
      {"save", "[FLAG]... IMAGE...", "write images to an archive or a directory",
       "Writes images as one archive that trine load (oci-archive: or docker-archive:), docker load and "
       "podman "
       "load read; or as a directory that does not exist yet. Layers are packed anew, so that an image which "
       "another tool made gets a new id there.",
       "trine save -o web.tar web:1\ntrine save --format dir -o ./web web:1", save_flag_texts, run_save},
      {"import", "[FLAG]... FILE|- [NAME]", "make an image of a root file system's archive",
       "Makes an image of one layer of the tar archive FILE, or of the standard input, plain or compressed "
       "(gzip, "
       "zstd, xz, bzip2). Prints digest and name.",
       "trine import -c 'CMD [\"/bin/sh\"]' root.tar.xz base:1\ntrine export web | trine import - web:flat",
       import_flag_texts, run_import},
      {"export", "[FLAG]... INSTANCE", "write an instance's file system to an archive",
       "Writes all files of INSTANCE, its image's and its own, as a tar archive, without what is mounted in "
       "it. It "
       "may run: then what is on the disk at that time is written.",
       "trine export -o root.tar web\ntrine export web | tar -t", export_flag_texts, run_export},
      {"diff", "INSTANCE", "list what an instance has changed",
       "Prints a line for each path that is not as in the image of INSTANCE: A for what is new, C for what "
       "has "
       "changed, D for what was removed.",
       "trine diff web\ntrine diff web | grep ^D", no_flags, run_diff},
      {"commit", "[FLAG]... INSTANCE [NAME]", "make an image of what an instance has changed",
       "Makes an image of the image of INSTANCE and a layer with all that it has changed. Its configuration "
       "is that "
       "image's; --change changes it as an instruction of a Dockerfile does. INSTANCE may run: then what is "
       "on the "
       "disk at that time counts. Prints digest and name.",
       "trine commit web web:2\ntrine commit -m 'with nginx' -c 'CMD [\"nginx\"]' -c 'EXPOSE 80' web web:3",
       commit_flag_texts, run_commit},
      {"history", "[FLAG]... IMAGE", "show how an image was made",
       "Lists the steps that its builder wrote down, the last one first, with the size of the layer that "
       "each "
       "made as it was shipped.",
       "trine history debian\ntrine history --no-trunc --format json web:1", history_flag_texts, run_history},
      {"rmi", "IMAGE...", "remove images from the store",
       "Takes a name away; with the last one, or by id, the image and the layers that no other image needs "
       "go too.",
       "trine rmi web:1\ntrine rmi 3f5a", no_flags, run_rmi},
      {"inspect", "IMAGE|INSTANCE...", "tell all about images and instances",
       "Prints a JSON array. Of an instance that was ended by something else than its program, error says by "
       "what.",
       "trine inspect web\ntrine inspect debian:12", no_flags, run_inspect},
      {"ps", "[FLAG]...", "list instances", "Lists those that run; with --all, those that have ended too.",
       "trine ps\ntrine ps --all --format json", ps_flag_texts, run_ps},
      {"stats", "[FLAG]... [INSTANCE]...", "show what instances use",
       "Shows CPU time in percent of one processor, memory, what all network interfaces received and "
       "sent (RX, TX), and the number of processes, once a second until it is interrupted: of the "
       "instances named, or of all that run. For a VM they are those of its workload, as the guest's "
       "kernel counts them; its network is counted by the host. With --format json there is one array a "
       "second, on one line, with bytes, packets, errors and drops of each interface.",
       "trine stats\ntrine stats --no-stream --format json web", stats_flag_texts, run_stats},
      {"update", "[FLAG]... INSTANCE", "change the limits of a running instance",
       "What no flag names stays as it is. Memory is not taken below what is in use. A limit can be changed "
       "when "
       "the instance was started with one that the same cgroup controller serves: memory and swap, or "
       "processors and shares; cpuset and processes have one each. A VM gives back memory to its host, and "
       "takes it again, up to what "
       "it was started with; its processors get less or more time.",
       "trine update --memory 512m --pids-limit 200 web\ntrine update --cpus 0.5 web", update_flag_texts,
       run_update},
      {"attach", "[FLAG]... INSTANCE", "watch an instance in the background, and type to it",
       "Shows what INSTANCE writes from now on, until it ends, and exits with its exit code. What is typed "
       "goes to it "
       "when it was started with --interactive. Signals are passed on to its first process. With a terminal, "
       "ctrl-p "
       "ctrl-q leaves it alone: it goes on.",
       "trine attach web\ntrine attach --no-stdin --sig-proxy=false web", attach_flag_texts, run_attach},
      {"logs", "[FLAG]... INSTANCE", "show what an instance has written",
       "Shows the output of an instance that runs, or ran, in the background: its standard output on ours, "
       "its "
       "standard error on ours. What runs in the foreground writes to its terminal and has no log.",
       "trine logs -f web\ntrine logs --since 10m --tail 100 -t web", logs_flag_texts, run_logs},
      {"exec", "[FLAG]... INSTANCE COMMAND [ARGUMENT]...", "run a program in a running instance",
       "Runs COMMAND beside the instance's first process and exits with its exit code. User, environment, "
       "directory, capabilities, limits and seccomp filter are those that the instance was started with, but "
       "for what the flags say. A program whose trine exec is killed goes on; its terminal hangs up.",
       "trine exec -it web sh\ntrine exec -u www-data -e DEBUG=1 web ./job --now", exec_flag_texts, run_exec},
      {"stop", "[FLAG]... INSTANCE...", "end instances in an orderly way",
       "Sends the stop signal, the image's or else TERM, waits, and sends KILL to what runs on. Returns when "
       "all have ended.",
       "trine stop web\ntrine stop -t 60 web database", stop_flag_texts, run_stop},
      {"kill", "[FLAG]... INSTANCE...", "send instances a signal",
       "Sends the signal to the first process of each; after KILL, returns when they have ended.",
       "trine kill web\ntrine kill -s HUP web", kill_flag_texts, run_kill},
      {"pause", "INSTANCE...", "stop instances in the midst of what they do",
       "Stops all processes of each until trine unpause: a container's by its cgroup, a VM with its kernel "
       "and devices. "
       "What others send to it waits. One that is paused can be killed and stopped, which lets it go on, and "
       "removed "
       "with --force; exec is refused.",
       "trine pause web\ntrine pause web && trine ps", no_flags, run_pause},
      {"unpause", "INSTANCE...", "let paused instances go on",
       "Undoes trine pause. A VM's clock is set right. trine resume is the same.",
       "trine unpause web\ntrine resume web", no_flags, run_unpause},
      {"wait", "INSTANCE...", "wait for instances to end",
       "Prints the exit code of each when it has ended, in the order given.",
       "trine wait web\ncode=$(trine wait job)", no_flags, run_wait},
      {"rm", "[FLAG]... INSTANCE...", "remove instances",
       "Removes instances that have ended, with all that they wrote; with --force, running ones too.",
       "trine rm web\ntrine rm --force web", rm_flag_texts, run_rm},
      {"image", "prune|mount|unmount|search|verify [FLAG]... [IMAGE [DIR]|TERM]",
       "prune, mount, find and verify images",
       "prune removes images without a name that no instance was made from, and layers that no image needs; "
       "with --all, images with a name too. mount IMAGE [DIR] shows an image's files, read-only, on DIR or "
       "on a "
       "directory whose name it prints; unmount takes that, or the image. search TERM is trine search. "
       "verify "
       "IMAGE asks the image's registry for its sigstore signatures, and verifies them by the signature "
       "policy, or "
       "by the one key that --key names and for any tag of the image's repository: for the manifest that is "
       "stored "
       "under that name, or else for the one that trine pull would bring. It prints the digest, the name, "
       "what "
       "name it is signed for and by which key; it exits with 1 when no signature counts, or when nothing "
       "says by "
       "whom it is to be signed.",
       "trine image prune --all\ntrine image verify --key cosign.pub quay.io/team/web:2", image_flag_texts,
       run_image},
      {"system", "df|check [FLAG]...", "the store's size and health",
       "df tells what images take on the disk, and what of it image prune gives back. check reads the whole "
       "store, tells what is damaged and how layers are kept, and exits with 1 when there is damage; with "
       "--repair it takes away what cannot be whole, so that it can be loaded again.",
       "trine system df\ntrine system check --repair", system_flag_texts, run_system},
      {"kernel", "import PACKAGE.deb|KERNEL|DIRECTORY | ls | use NAME | rm NAME", "keep kernels for VMs",
       "import packs a kernel for guests and makes it the default: Debian's package "
       "linux-image-…-cloud-amd64, a directory with its boot/vmlinuz-… and lib/modules/…, or the file of a "
       "kernel that has everything built in, as hvm-sandbox/kernel/build-minimal.sh builds it. ls lists "
       "those "
       "there are, use makes one the default, rm takes one away; a VM that runs keeps its kernel.",
       "apt-get download linux-image-6.1.0-56-cloud-amd64\ntrine kernel import ./linux-image-*.deb", no_flags,
       run_kernel},
      {"check", "", "tell whether VMs can run here",
       "Looks for all that --isolation vm needs, runs a few instructions in a guest and times them, and says "
       "what is missing and how to get it. Exits with 0 when VMs can run, else with 1.",
       "trine check\ntrine check && trine run --isolation vm debian", no_flags, run_check},
      {"policy", "test IMAGE [FLAG]... | check [FILE|DIRECTORY]...", "tell what the isolation policy says",
       "test tells which class of isolation a trine run of IMAGE with the same flags gets, which rule or "
       "default of the isolation policy decides that, and what the rules go by; it fails as the run would "
       "when "
       "a rule demands a stronger class than --isolation. Nothing is pulled or started, and no command is "
       "given. check reads the policy, /etc/trine/isolation.d/*.json and ~/.config/trine/isolation.d/*.json, "
       "or the files and directories that are named, tells all that is wrong, and exits with 1 when "
       "something "
       "is. A named file is not asked to whom it belongs.",
       "trine policy test --network host quay.io/team/web:2\ntrine policy check ./50-web.json", no_flags,
       run_policy},
  };
  return table;
}

const Verb& find_verb(std::string_view name) {
  if (name == "resume")
    name = "unpause";  // as trine-oci and the runtime specification call it
  const auto found = std::ranges::find_if(verbs(), [&](const Verb& verb) { return verb.name == name; });
  if (found != verbs().end())
    return *found;
  std::vector<std::string> known{"help", "version", "--help", "--version"};
  for (const auto& verb : verbs())
    known.emplace_back(verb.name);
  const std::string near = args::nearest(name, known);
  throw base::Error("trine has no verb " + std::string(name), 0,
                    near.empty() ? "trine --help lists them" : "did you mean trine " + near + "?");
}

ParsedFlags parse_words(const char* verb, const std::vector<FlagText>& flags,
                        std::vector<std::string> arguments, args::FlagsEnd end) {
  ParsedFlags parsed = args::parse_words(std::string("trine ") + verb, flags, std::move(arguments), end);
  if (!parsed.help)
    return parsed;
  print(help_text(find_verb(verb)));
  ::exit(0);
}

}  // namespace trine::runtime::cli
