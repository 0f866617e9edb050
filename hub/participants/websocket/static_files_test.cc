#include "hub/participants/websocket/static_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

class StaticFilesTest : public ::testing::Test {
 protected:
  StaticFilesTest() {
    root_ =
        std::filesystem::path(::testing::TempDir()) /
        ("static_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(root_);
    Write("web/index.html", "<p>workstation</p>");
    Write("web/theatre.html", "<p>theatre</p>");
    Write("web/assets/app-3f2a.js", "run()");
    Write("web/.secret", "secret");
    Write("outside.txt", "secret");
  }
  ~StaticFilesTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  HttpResponse Get(const std::string& path, const std::string& tag = "") {
    return StaticFiles((root_ / "web").string()).Serve(path, tag);
  }
  static std::string Header(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  std::filesystem::path root_;
};

TEST_F(StaticFilesTest, ServesPagesAnew) {
  const HttpResponse page = Get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<p>workstation</p>");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(Header(page, "Cache-Control"), "no-cache");
  EXPECT_EQ(Get("/theatre.html").body, "<p>theatre</p>");
  EXPECT_EQ(Get("/theatre").body, "<p>theatre</p>");
}

TEST_F(StaticFilesTest, LetsAssetsBeKept) {
  const HttpResponse asset = Get("/assets/app-3f2a.js");
  EXPECT_EQ(asset.status, 200);
  EXPECT_EQ(asset.content_type, "text/javascript; charset=utf-8");
  EXPECT_THAT(Header(asset, "Cache-Control"), HasSubstr("immutable"));
}

TEST_F(StaticFilesTest, AnswersWithoutABodyWhereNothingChanged) {
  const std::string tag = Header(Get("/"), "ETag");
  ASSERT_FALSE(tag.empty());
  const HttpResponse unchanged = Get("/", tag);
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.body, "");
  Write("web/index.html", "<p>new workstation</p>");
  EXPECT_EQ(Get("/", tag).status, 200);
}

TEST_F(StaticFilesTest, HostilePathsReachNothingOutside) {
  std::filesystem::create_symlink(root_ / "outside.txt", root_ / "web" / "link.txt");
  std::filesystem::create_symlink(root_, root_ / "web" / "up");
  for (const char* path :
       {"/../outside.txt", "/..", "/assets/../../outside.txt", "/./index.html", "/.secret",
        "/assets/..\\..\\outside.txt", "//etc/passwd", "/link.txt", "/up/outside.txt", "",
        "index.html", "/assets", "/assets/", "/nothing", "/nothing.js"}) {
    const HttpResponse response = Get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.body.find("secret"), std::string::npos) << path;
  }
}

TEST_F(StaticFilesTest, HostileSizeIsNotRead) {
  Write("web/huge.bin", "");
  std::filesystem::resize_file(root_ / "web/huge.bin", kMaxStaticFileBytes + 1);
  EXPECT_EQ(Get("/huge.bin").status, 404);
}

TEST_F(StaticFilesTest, SaysHowToBuildTheWorkstation) {
  for (const std::string& directory : {std::string(), (root_ / "no-such-folder").string()}) {
    const HttpResponse response = StaticFiles(directory).Serve("/", "");
    EXPECT_EQ(response.status, 404);
    EXPECT_THAT(response.body, HasSubstr("npm run build"));
  }
}

}  // namespace
}  // namespace remora::hub
