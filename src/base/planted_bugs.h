// PlantedBug: mistakes that one special build (`make mutants`) can be told to make, so that the suites prove that they
// would notice each of them. Everywhere else planted() is false at compile time, and the branches are gone.
#pragma once

#include <string_view>

namespace tombolo {

// One line a bug: the name by which it is chosen, and what goes wrong.
#define TOMBOLO_PLANTED_BUGS_TABLE(BUG)                                                                      \
  BUG(skip_log_sync, "a group is acknowledged without the commit log's sync")                                \
  BUG(skip_run_sync, "rows name runs whose segment was not synced")                                          \
  BUG(skip_directory_sync, "new files of the log and of segments lack their directory's sync")               \
  BUG(apply_before_sync, "a group is in the index, for readers and flushes, before the log has it")          \
  BUG(acknowledge_before_sync, "commits are acknowledged when their group is put together")                  \
  BUG(publish_before_runs, "a name is published before its runs are synced")                                 \
  BUG(ignore_checksum, "a granule from flash is believed without its checksum")                              \
  BUG(ignore_remote_checksum, "a granule from a remote is believed without its checksum")                    \
  BUG(verify_first_granule_only, "only the first granule of a read is verified")                             \
  BUG(evict_before_verify, "a remote copy counts before it was read back")                                   \
  BUG(evict_shared_source, "an eviction clears the sources that another object is made of")                  \
  BUG(evict_under_reader, "a reader whose bytes have left the flash does not look where they are now")       \
  BUG(free_segment_under_reader, "a segment goes while a reader or an unresolved writer pins it")            \
  BUG(free_segment_before_mark, "a segment goes before the log's mark covers what freed it")                 \
  BUG(append_to_old_tail, "after a restart runs are appended to the segment that was open")                  \
  BUG(rewrite_synced_block, "a log record is written together with the block before it")                     \
  BUG(cut_log_below_mark, "a hole in the log below the mark is taken for a torn tail")                       \
  BUG(trim_log_too_far, "the log is trimmed beyond what the index holds in flushed files")                   \
  BUG(replay_unsynced, "records above the mark are applied without a synced copy of them")                   \
  BUG(skip_failed_apply, "a group whose apply failed is passed over")                                        \
  BUG(forget_container_guard, "changes of a container do not take its guard")                                \
  BUG(forget_absent_read, "a transaction that read an absent key does not conflict with who creates it")     \
  BUG(commit_without_seal, "a block list is committed while blocks are still being staged")                  \
  BUG(purge_later_blocks, "blocks staged after a commit go with those before it")                            \
  BUG(lose_feed_record, "now and then a change writes no change-feed record")                                \
  BUG(resume_one_too_far, "a job that goes on after a restart passes over one object")                       \
  BUG(lose_edge_on_self_copy, "a block list that keeps committed blocks puts no edges on their gens")        \
  BUG(erase_without_edges, "the second phase of a gen's death does not look at its edges")                   \
  BUG(overwrite_only_place, "an offload writes over a native key that another gen lives in")                 \
  BUG(adopt_without_comparing, "a remote object of our nonce is adopted without reading it")                 \
  BUG(retry_failed_sync, "a failed sync is tried again and believed")                                        \
  BUG(trust_log_file, "after a failed sync the log's last file is believed up to its mark")                  \
  BUG(trust_segment_file, "after a failed sync what a segment held before is not written anew")              \
  BUG(reissue_stamp, "after a restart stamps begin where the last lease began")                              \
  BUG(forget_conflict_on_gen, "offload and eviction write a gen's row without looking whether it has moved") \
  BUG(drop_usage, "an overwrite does not take back what the old object counted")                             \
  BUG(short_listing, "a listing that reaches its limit says that it is complete")

enum class PlantedBug {
#define TOMBOLO_BUG_NAME(name, what) name,
  TOMBOLO_PLANTED_BUGS_TABLE(TOMBOLO_BUG_NAME)
#undef TOMBOLO_BUG_NAME
};

#ifdef TOMBOLO_PLANTED_BUGS
/// Whether the bug was chosen: by the environment variable TOMBOLO_PLANTED_BUG, read once.
bool planted(PlantedBug bug);
#else
constexpr bool planted(PlantedBug) {
  return false;
}
#endif

}  // namespace tombolo
