// nearest: what a person may have meant by a word that is not known.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tombolo {

/// The candidate that fewest typing mistakes (a letter missing, added, wrong, or swapped with its neighbour) turn into
/// `word`: at most one for each three letters, at least one, or `word` begins it. Nothing when none is that near.
/// Requires words of tens of bytes: the time grows with their product.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// "; did you mean \"x\"?" or nothing, for the end of a sentence that refuses `word`.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace tombolo
