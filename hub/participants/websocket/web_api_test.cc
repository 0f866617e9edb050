#include "hub/participants/websocket/web_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/testing/fake_clock.h"
#include "hub/participants/testing/fake_session_host.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WebApiTest : public ::testing::Test {
 protected:
  static HttpRequest Request(const std::string& method, const std::string& target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.host = "127.0.0.1:8080";
    return request;
  }
  static HttpRequest SignIn(const std::string& body) {
    HttpRequest request = Request("POST", "/v1/session");
    request.content_type = "application/json";
    request.origin = "http://127.0.0.1:8080";
    request.body = body;
    return request;
  }
  // "remora_anna=..." as a browser sends it back.
  std::string CookieFor(const std::string& token) {
    return CookieOf(api_.Handle(SignIn("{\"token\":\"" + token + "\"}")));
  }
  static std::string CookieOf(const HttpResponse& response) {
    const std::string header = SetCookie(response);
    return header.substr(0, header.find(';'));
  }
  static std::string SetCookie(const HttpResponse& response) {
    for (const auto& [name, value] : response.headers) {
      if (name == "Set-Cookie") return value;
    }
    return "";
  }
  HttpRequest Stream(const std::string& target, const std::string& cookie) {
    HttpRequest request = Request("GET", target);
    request.origin = "http://127.0.0.1:8080";
    request.cookie = cookie;
    return request;
  }

  FakeClock clock_;
  std::unique_ptr<Random> random_ = MakeSeededRandom(7);
  FakeAuthenticator authenticator_;
  WebSessions sessions_{WebSessions::Key{1, 2, 3}, clock_, *random_};
  absl::Status ready_ = absl::OkStatus();
  std::string note_;
  WebApi api_{
      authenticator_, sessions_, StaticFiles(""),
      OperationsPages{[] { return std::string("remora_up 1\n"); }, [] { return absl::OkStatus(); },
                      [this] { return note_; }, [this] { return ready_; }}};
};

TEST_F(WebApiTest, ATokenBecomesACookieThatScriptsCannotRead) {
  const HttpResponse response = api_.Handle(SignIn("{\"token\":\"token-anna\"}"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            "{\"displayName\":\"The anna\",\"name\":\"anna\","
            "\"role\":\"neurophysiologist\"}\n");
  const std::string cookie = SetCookie(response);
  EXPECT_THAT(cookie, HasSubstr("remora_anna="));
  EXPECT_THAT(cookie, HasSubstr("; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(cookie, Not(HasSubstr("token-anna")));
  EXPECT_THAT(cookie, Not(HasSubstr("Secure")));
  HttpRequest behind_proxy = SignIn("{\"token\":\"token-anna\"}");
  behind_proxy.forwarded_proto = "https";
  EXPECT_THAT(SetCookie(api_.Handle(behind_proxy)), HasSubstr("; Secure"));
}

TEST_F(WebApiTest, HostileSignInsGetNoCookie) {
  const auto refused = [this](const HttpRequest& request) {
    const HttpResponse response = api_.Handle(request);
    EXPECT_EQ(SetCookie(response), "");
    EXPECT_THAT(response.body, Not(HasSubstr("token-nobody")));
    return response.status;
  };
  EXPECT_EQ(refused(SignIn("{\"token\":\"token-nobody\"}")), 401);
  for (const char* body : {"", "{", "[]", "\"token-anna\"", "{\"token\":1}", "{\"token\":\"\"}",
                           "{\"tokens\":\"token-anna\"}", "{\"token\":\"\xff\xfe\"}"}) {
    EXPECT_EQ(refused(SignIn(body)), 400) << body;
  }
  EXPECT_EQ(refused(SignIn("{\"token\":\"token-" + std::string(3'000, 'x') + "\"}")), 400);
  EXPECT_EQ(refused(SignIn(std::string(4'000, '['))), 400);
  HttpRequest form = SignIn("{\"token\":\"token-anna\"}");
  form.content_type = "text/plain";
  EXPECT_EQ(refused(form), 415);
  HttpRequest elsewhere = SignIn("{\"token\":\"token-anna\"}");
  elsewhere.origin = "http://evil.example";
  EXPECT_EQ(refused(elsewhere), 403);
}

TEST_F(WebApiTest, ShowsWhoIsSignedIn) {
  HttpRequest request = Request("GET", "/v1/session?identity=anna");
  EXPECT_EQ(api_.Handle(request).status, 401);
  request.cookie = CookieFor("token-anna");
  EXPECT_EQ(api_.Handle(request).status, 200);
  request.target = "/v1/session?identity=bob";
  EXPECT_EQ(api_.Handle(request).status, 401);
  request.target = "/v1/session";
  EXPECT_EQ(api_.Handle(request).status, 200);
  request.cookie += "; " + CookieFor("token-bob");
  EXPECT_EQ(api_.Handle(request).status, 400) << "which of the two?";
  request.target = "/v1/session?identity=bob";
  EXPECT_THAT(api_.Handle(request).body, HasSubstr("\"bob\""));
}

TEST_F(WebApiTest, ForgetsACookieWhenAsked) {
  HttpRequest request = Request("DELETE", "/v1/session?identity=anna");
  request.cookie = CookieFor("token-anna");
  const HttpResponse response = api_.Handle(request);
  EXPECT_EQ(response.status, 204);
  EXPECT_THAT(SetCookie(response), HasSubstr("remora_anna=; Path=/v1; Max-Age=0"));
}

TEST_F(WebApiTest, AdmitsAPageOfItsOwnWithItsCookie) {
  const auto identity =
      api_.AdmitStream(Stream("/v1/stream?identity=anna", CookieFor("token-anna")));
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->name, "anna");
}

TEST_F(WebApiTest, AdmitsAProgramWithItsToken) {
  HttpRequest request = Request("GET", "/v1/stream");
  request.authorization = "Bearer token-agent1";
  const auto identity = api_.AdmitStream(request);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->role, v1::ROLE_AGENT);
}

TEST_F(WebApiTest, HostileStreamsAreNotAdmitted) {
  const std::string cookie = CookieFor("token-anna");
  HttpRequest request = Stream("/v1/stream?identity=anna", cookie);
  request.origin = "http://evil.example";
  EXPECT_TRUE(absl::IsPermissionDenied(api_.AdmitStream(request).status()));
  request.origin = "";
  EXPECT_TRUE(absl::IsPermissionDenied(api_.AdmitStream(request).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(api_.AdmitStream(Stream("/v1/stream", "")).status()));
  // Another's cookie under one's own name.
  const std::string value = cookie.substr(cookie.find('=') + 1);
  EXPECT_TRUE(absl::IsUnauthenticated(
      api_.AdmitStream(Stream("/v1/stream?identity=bob", "remora_bob=" + value)).status()));
  EXPECT_TRUE(absl::IsNotFound(api_.AdmitStream(Stream("/v1/other", cookie)).status()));
  HttpRequest program = Request("GET", "/v1/stream");
  for (const char* authorization : {"Bearer token-nobody", "Bearer", "Basic x", "token-anna"}) {
    program.authorization = authorization;
    EXPECT_TRUE(absl::IsUnauthenticated(api_.AdmitStream(program).status())) << authorization;
  }
  program.authorization = "Bearer token-anna";
  program.origin = "http://evil.example";
  EXPECT_TRUE(absl::IsPermissionDenied(api_.AdmitStream(program).status()));
}

TEST_F(WebApiTest, TellsOperationsHowItIs) {
  EXPECT_EQ(api_.Handle(Request("GET", "/healthz")).status, 200);
  EXPECT_EQ(api_.Handle(Request("GET", "/readyz")).status, 200);
  note_ = "2 cases are not recorded";
  const HttpResponse noted = api_.Handle(Request("GET", "/healthz"));
  EXPECT_EQ(noted.status, 200);
  EXPECT_THAT(noted.body, HasSubstr("ok, but 2 cases"));
  ready_ = absl::UnavailableError("3 of 20 rooms are not restored yet");
  const HttpResponse not_ready = api_.Handle(Request("GET", "/readyz"));
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_THAT(not_ready.body, HasSubstr("3 of 20"));
  const HttpResponse metrics = api_.Handle(Request("GET", "/metrics"));
  EXPECT_EQ(metrics.body, "remora_up 1\n");
  EXPECT_THAT(metrics.content_type, HasSubstr("version=0.0.4"));
}

TEST_F(WebApiTest, WrongAddressesSayWhatIsRight) {
  EXPECT_THAT(api_.Handle(Request("GET", "/")).body, HasSubstr("npm run build"));
  EXPECT_THAT(api_.Handle(Request("GET", "/v1/nothing")).body, HasSubstr("/v1/session"));
  EXPECT_EQ(api_.Handle(Request("GET", "/v1/stream")).status, 426);
  EXPECT_EQ(api_.Handle(Request("PUT", "/v1/session")).status, 405);
  EXPECT_EQ(api_.Handle(Request("POST", "/")).status, 405);
  EXPECT_EQ(api_.Handle(Request("GET", "http://evil.example/")).status, 400);
}

TEST_F(WebApiTest, SecurityHeadersNameOnlyThisHost) {
  const auto policy = [](const std::string& host) { return SecurityHeaders(host)[0].second; };
  EXPECT_THAT(policy("hub.example:8080"), HasSubstr("connect-src 'self' ws://hub.example:8080 "));
  EXPECT_THAT(policy("x; script-src *"), HasSubstr("connect-src 'self';"));
  EXPECT_THAT(policy("x; script-src *"), Not(HasSubstr("script-src *")));
}

}  // namespace
}  // namespace remora::hub
