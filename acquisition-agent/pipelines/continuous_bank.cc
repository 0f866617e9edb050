#include "acquisition-agent/pipelines/continuous_bank.h"

#include <algorithm>
#include <span>
#include <utility>

#include "common/check.h"
#include "common/status_macros.h"

namespace remora::agent {

absl::StatusOr<ContinuousBank> ContinuousBank::Create(std::vector<ContinuousStream*> streams) {
  std::vector<std::vector<size_t>> sorted;
  for (size_t i = 0; i < streams.size(); ++i) {
    const auto same = std::find_if(sorted.begin(), sorted.end(), [&](const auto& others) {
      const ContinuousStream& other = *streams[others.front()];
      return other.rate_group() == streams[i]->rate_group() &&
             other.filter() == streams[i]->filter() &&
             other.anti_alias() == streams[i]->anti_alias();
    });
    if (same != sorted.end()) {
      same->push_back(i);
    } else {
      sorted.push_back({i});
    }
  }
  ContinuousBank bank;
  for (const std::vector<size_t>& alike : sorted) {
    // A bank is as large as one may be.
    for (size_t at = 0; at < alike.size(); at += dsp::kMaxBankChannels) {
      const size_t count = std::min(dsp::kMaxBankChannels, alike.size() - at);
      const auto from = alike.begin() + static_cast<std::ptrdiff_t>(at);
      const ContinuousStream& first = *streams[*from];
      ASSIGN_OR_RETURN(dsp::SosBank filter, dsp::SosBank::Create(first.filter(), count));
      ASSIGN_OR_RETURN(dsp::SosBank anti_alias, dsp::SosBank::Create(first.anti_alias(), count));
      bank.alike_.push_back({{from, from + static_cast<std::ptrdiff_t>(count)},
                             std::move(filter),
                             std::move(anti_alias)});
    }
  }
  bank.streams_ = std::move(streams);
  return bank;
}

void ContinuousBank::OnChunk(const Chunk& chunk, const std::vector<std::vector<Piece>*>& pieces) {
  std::vector<size_t> first;
  for (size_t i = 0; i < streams_.size(); ++i) {
    first.push_back(pieces[i]->size());
    streams_[i]->Gather(chunk, pieces[i]);
  }
  FilterFrom(first, pieces);
}

void ContinuousBank::OnEnd(const std::vector<std::vector<Piece>*>& pieces) {
  std::vector<size_t> first;
  for (size_t i = 0; i < streams_.size(); ++i) {
    first.push_back(pieces[i]->size());
    streams_[i]->GatherRest(pieces[i]);
  }
  FilterFrom(first, pieces);
}

// The same stimuli are blanked in the same chunks: as many pieces of each stream, of the same
// samples.
void ContinuousBank::FilterFrom(const std::vector<size_t>& first,
                                const std::vector<std::vector<Piece>*>& pieces) {
  for (Alike& alike : alike_) {
    const size_t lead = alike.streams.front();
    for (size_t p = 0; first[lead] + p < pieces[lead]->size(); ++p) {
      std::vector<Piece*> together;
      for (const size_t i : alike.streams) {
        REMORA_CHECK(pieces[i]->size() - first[i] == pieces[lead]->size() - first[lead],
                     "streams of one rate group were told other stimuli");
        together.push_back(&(*pieces[i])[first[i] + p]);
      }
      FilterPieces(&alike, together);
      for (size_t k = 0; k < together.size(); ++k) {
        const size_t frames = together[k]->uv.size();
        streams_[alike.streams[k]]->Finish(
            together[k], std::span<const double>(smooth_).subspan(k * frames, frames));
      }
    }
  }
}

void ContinuousBank::FilterPieces(Alike* alike, const std::vector<Piece*>& pieces) {
  if (pieces.front()->starts_segment) {
    alike->filter.ResetToNextSample();
    alike->anti_alias.ResetToNextSample();
  }
  uv_.clear();
  for (const Piece* piece : pieces) {
    REMORA_CHECK(piece->uv.size() == pieces.front()->uv.size(),
                 "streams of one rate group were told other stimuli");
    uv_.insert(uv_.end(), piece->uv.begin(), piece->uv.end());
  }
  smooth_.resize(uv_.size());
  alike->filter.ProcessPlanar(uv_, uv_);
  alike->anti_alias.ProcessPlanar(uv_, smooth_);
  const size_t frames = pieces.front()->uv.size();
  for (size_t k = 0; k < pieces.size(); ++k) {
    std::copy_n(uv_.begin() + static_cast<std::ptrdiff_t>(k * frames), frames,
                pieces[k]->uv.begin());
  }
}

}  // namespace remora::agent
