#include "acquisition-agent/pipelines/emg_group.h"

#include <algorithm>
#include <deque>
#include <span>
#include <utility>

#include "common/status_macros.h"

namespace remora::agent {
namespace {

bool Has(const std::vector<int>& channels, const std::vector<int>& wanted) {
  return std::any_of(channels.begin(), channels.end(), [&](int channel) {
    return std::find(wanted.begin(), wanted.end(), channel) != wanted.end();
  });
}

// Of one muscle: they share an electrode, and not only a common reference.
bool SameMuscle(const ResolvedDerivation& a, const ResolvedDerivation& b) {
  return Has(a.plus, b.plus) || Has(a.plus, b.minus) || Has(a.minus, b.plus);
}

std::vector<AnsweredStimulus> AnswersOf(const ResolvedPlan& plan,
                                        const ResolvedDerivation& muscle) {
  std::vector<AnsweredStimulus> answers;
  for (const ResolvedMotor& motor : plan.motor) {
    if (std::any_of(motor.muscles.begin(), motor.muscles.end(), [&](const ResolvedMuscle& other) {
          return SameMuscle(muscle, other.derivation);
        })) {
      answers.push_back({motor.trigger.listener, motor.plan.window_to_ms()});
    }
  }
  for (const ResolvedTrainOfFour& tof : plan.train_of_four) {
    if (!SameMuscle(muscle, tof.derivation)) continue;
    answers.push_back({tof.trigger.listener, tof.plan.window_to_ms()});
  }
  return answers;
}

// What muscles answer is not compared: it is large, and alike in all of them.
std::vector<double> WithoutAnswers(const Piece& piece) {
  std::vector<double> uv = piece.uv;
  for (const Piece::Range& answer : piece.answers) {
    std::fill(uv.begin() + static_cast<std::ptrdiff_t>(answer.from),
              uv.begin() + static_cast<std::ptrdiff_t>(answer.to), 0.0);
  }
  return uv;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmgGroup>> EmgGroup::Create(const ResolvedPlan& plan,
                                                           const SourceInfo& source) {
  std::unique_ptr<EmgGroup> group(new EmgGroup());
  for (size_t i = 0; i < plan.emg.size(); ++i) {
    const ResolvedEmg& emg = plan.emg[i];
    ASSIGN_OR_RETURN(std::unique_ptr<EmgPipeline> muscle,
                     EmgPipeline::Create(emg, source, plan.mains_hz,
                                         AnswersOf(plan, emg.derivation), StimulationsOf(plan)));
    group->muscles_.push_back(std::move(muscle));
    const int rate_group = emg.derivation.rate_group;
    auto found =
        std::find_if(group->groups_.begin(), group->groups_.end(),
                     [&](const Together& other) { return other.rate_group == rate_group; });
    if (found == group->groups_.end()) {
      Together together;
      together.rate_group = rate_group;
      dsp::ArtefactClassOptions options;
      options.sample_rate_hz = emg.derivation.sample_rate_hz;
      options.mains_hz = plan.mains_hz;
      options.band_to_hz = emg.plan.filter().low_pass_hz();
      if (auto classifier = dsp::ArtefactClassifier::Create(options); classifier.ok()) {
        together.classifier = *std::move(classifier);
      }
      group->groups_.push_back(std::move(together));
      found = std::prev(group->groups_.end());
    }
    found->muscles.push_back(i);
  }
  std::vector<ContinuousStream*> streams;
  for (const auto& muscle : group->muscles_) streams.push_back(muscle->stream());
  ASSIGN_OR_RETURN(group->bank_, ContinuousBank::Create(std::move(streams)));
  return group;
}

void EmgGroup::OnStimulus(const Stimulus& stimulus) {
  for (const auto& muscle : muscles_) muscle->OnStimulus(stimulus);
}

std::vector<EmgOutput> EmgGroup::OnChunk(const Chunk& chunk) {
  bank_->OnChunk(chunk, Pieces());
  return Judge();
}

std::vector<EmgOutput> EmgGroup::OnEnd() {
  bank_->OnEnd(Pieces());
  for (const auto& muscle : muscles_) muscle->NoteEnd();
  return Judge();
}

std::vector<std::vector<Piece>*> EmgGroup::Pieces() const {
  std::vector<std::vector<Piece>*> pieces;
  for (const auto& muscle : muscles_) pieces.push_back(muscle->pieces());
  return pieces;
}

std::vector<EmgOutput> EmgGroup::Judge() {
  std::vector<EmgOutput> outputs(muscles_.size());
  for (Together& together : groups_) {
    const std::vector<dsp::ArtefactVerdict> verdicts = Compare(&together);
    for (size_t k = 0; k < together.muscles.size(); ++k) {
      std::vector<dsp::ArtefactVerdict> own;
      for (const dsp::ArtefactVerdict& verdict : verdicts) own.push_back(verdict.Of(k));
      muscles_[together.muscles[k]]->Judge(own, &outputs[together.muscles[k]]);
    }
  }
  return outputs;
}

std::vector<dsp::ArtefactVerdict> EmgGroup::Compare(Together* together) {
  std::vector<dsp::ArtefactVerdict> verdicts;
  const std::vector<Piece>& lead = *muscles_[together->muscles.front()]->pieces();
  if (!together->classifier || together->muscles.size() > dsp::kMaxArtefactChannels) return {};
  for (size_t p = 0; p < lead.size(); ++p) {
    std::deque<std::vector<double>> silenced;
    std::vector<std::span<const double>> channels;
    std::vector<double> floors_uv;
    std::vector<std::vector<dsp::SampleStretch>> left_out;
    for (const size_t i : together->muscles) {
      const std::vector<Piece>& pieces = *muscles_[i]->pieces();
      // All blank the same stimuli, so that their pieces have the same ends.
      if (p >= pieces.size() || pieces[p].first_position != lead[p].first_position ||
          pieces[p].uv.size() != lead[p].uv.size()) {
        return verdicts;
      }
      const bool answers = !pieces[p].answers.empty();
      if (answers) silenced.push_back(WithoutAnswers(pieces[p]));
      channels.emplace_back(answers ? silenced.back() : pieces[p].uv);
      floors_uv.push_back(muscles_[i]->noise_floor_uv());
      left_out.push_back(pieces[p].answers);
    }
    if (lead[p].starts_segment) together->classifier->Restart();
    verdicts.push_back(lead[p].uv.empty()
                           ? dsp::ArtefactVerdict()
                           : together->classifier->Push(channels, floors_uv, {}, left_out));
  }
  return verdicts;
}

uint64_t EmgGroup::late_total() const {
  uint64_t late = 0;
  for (const auto& muscle : muscles_) late = std::max(late, muscle->late_total());
  return late;
}

}  // namespace remora::agent
