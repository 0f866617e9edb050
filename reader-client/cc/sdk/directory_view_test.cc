#include "reader-client/cc/sdk/directory_view.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace remora::reader {
namespace {

v1::DirectoryUpdate Page(int first, int count, bool complete, bool more = false) {
  v1::DirectoryUpdate update;
  update.set_complete(complete);
  update.set_more(more);
  for (int i = first; i < first + count; ++i) {
    v1::CaseSummary& summary = *update.add_cases();
    summary.set_case_id(std::string(15, 'c') + static_cast<char>(i));
    summary.set_theatre(absl::StrCat("OR ", i));
  }
  return update;
}

TEST(DirectoryView, IsWholeWithTheFirstListThatNamesNoRest) {
  DirectoryView view;
  EXPECT_FALSE(view.is_whole());
  view.Apply(Page(0, 1, false));
  EXPECT_FALSE(view.is_whole()) << "a change is no directory";
  view.Apply(Page(1, 3, true));
  EXPECT_TRUE(view.is_whole());
  EXPECT_EQ(view.Cases().size(), 3u) << "what was known before is void";
}

TEST(DirectoryView, IsNotWholeWhileAPageSaysThatMoreComes) {
  DirectoryView view;
  view.Apply(Page(0, 64, true, true));
  EXPECT_FALSE(view.is_whole());
  view.Apply(Page(64, 64, false, true));
  EXPECT_FALSE(view.is_whole());
  view.Apply(Page(0, 0, false));
  EXPECT_TRUE(view.is_whole()) << "the rest may have gone meanwhile";
  EXPECT_EQ(view.Cases().size(), 128u);
}

TEST(DirectoryView, AFullPageWithoutARestIsTheLast) {
  DirectoryView view;
  view.Apply(Page(0, 64, true));
  EXPECT_TRUE(view.is_whole());
}

TEST(DirectoryView, ALaterChangeMakesItNoLessWholeButANewListDoes) {
  DirectoryView view;
  view.Apply(Page(0, 2, true));
  view.Apply(Page(1, 64, false, true));
  EXPECT_TRUE(view.is_whole());
  view.Apply(Page(0, 64, true, true));
  EXPECT_FALSE(view.is_whole());
}

}  // namespace
}  // namespace remora::reader
