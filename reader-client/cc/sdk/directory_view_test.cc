#include "reader-client/cc/sdk/directory_view.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace remora::reader {
namespace {

const DeviceTime kStart = DeviceTime::FromNanoseconds(1'000'000'000);

v1::DirectoryUpdate Page(int first, int count, bool complete) {
  v1::DirectoryUpdate update;
  update.set_complete(complete);
  for (int i = first; i < first + count; ++i) {
    v1::CaseSummary& summary = *update.add_cases();
    summary.set_case_id(std::string(15, 'c') + static_cast<char>(i));
    summary.set_theatre(absl::StrCat("OR ", i));
  }
  return update;
}

TEST(DirectoryView, ASmallDirectoryIsWholeWithItsFirstPage) {
  DirectoryView view;
  EXPECT_FALSE(view.whole_at().has_value());
  view.Apply(Page(0, 1, false), kStart);
  EXPECT_FALSE(view.whole_at().has_value()) << "a change is no directory";
  view.Apply(Page(1, 3, true), kStart);
  EXPECT_EQ(view.whole_at(), kStart);
  EXPECT_EQ(view.Cases().size(), 3u) << "what was known before is void";
}

TEST(DirectoryView, AFullPageIsWaitedAfterUntilOneIsNotFull) {
  DirectoryView view;
  view.Apply(Page(0, kFullDirectoryPage, true), kStart);
  EXPECT_EQ(view.whole_at(), kStart + kNextDirectoryPage);
  const DeviceTime next = kStart + Duration::Milliseconds(10);
  view.Apply(Page(64, kFullDirectoryPage, false), next);
  EXPECT_EQ(view.whole_at(), next + kNextDirectoryPage);
  view.Apply(Page(128, 1, false), next);
  EXPECT_EQ(view.whole_at(), next);
  EXPECT_EQ(view.Cases().size(), 129u);
}

TEST(DirectoryView, ALaterChangeMakesItNoLessWhole) {
  DirectoryView view;
  view.Apply(Page(0, 2, true), kStart);
  view.Apply(Page(1, kFullDirectoryPage, false), kStart + Duration::Seconds(5));
  EXPECT_EQ(view.whole_at(), kStart);
}

}  // namespace
}  // namespace remora::reader
