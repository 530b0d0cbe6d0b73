import ApusCatalog
import Testing

@testable import ApusPostgres

@Suite struct RequestSettingsScanTests {
    private static let none = Catalog.RequestSettingsUse(
        headers: false, cookies: false, method: false, path: false)

    private static func only(
        _ path: WritableKeyPath<Catalog.RequestSettingsUse, Bool>
    )
        -> Catalog.RequestSettingsUse
    {
        var use = none
        use[keyPath: path] = true
        return use
    }

    @Test(arguments: [
        "select current_setting('request.jwt.claims')", "select request.id from request",
        "-- every request. And more", "the last word is request.", "select 1", "requests", "", "request",
        "current_setting('request.jwt')", "request.headers_total",
        "current_setting ( 'app.name')", "current_settings(name)",
    ])
    func usesNothing(text: String) {
        #expect(RequestSettingsScan.use(in: [text]) == Self.none)
    }

    @Test func findsEachByItsName() {
        let cases: [(String, WritableKeyPath<Catalog.RequestSettingsUse, Bool>)] = [
            ("current_setting('request.headers', true)::json", \.headers),
            ("current_setting('request.header.x-forwarded-for')", \.headers),
            ("current_setting('Request.HEADERS')", \.headers),
            ("current_setting('request.cookies')", \.cookies),
            ("current_setting('request.cookie.session')", \.cookies),
            ("current_setting('request.method')", \.method), ("show request.path", \.path),
        ]
        for (text, path) in cases {
            #expect(RequestSettingsScan.use(in: [text]) == Self.only(path), "\(text)")
        }
    }

    @Test(arguments: [
        "current_setting('request.' || name)", "format('request.%s', name)", "$$request.$$ || name",
        "concat('request.', name)", "current_setting(name)", "CURRENT_SETTING (\n\tname)",
        "current_setting('a') || current_setting(b)",
    ])
    func namesMadeAtRunTimeMayBeAny(text: String) {
        #expect(RequestSettingsScan.use(in: [text]) == Catalog.RequestSettingsUse())
    }

    @Test func addsUpOverTexts() {
        let use = RequestSettingsScan.use(in: ["'request.path' 'request.method'", "'request.cookies'"])
        #expect(use == .init(headers: false, cookies: true, method: true, path: true))
    }

    @Test(arguments: [
        ("perform set_config('response.headers', '[]', true)", true),
        ("SET LOCAL \"Response.Status\" = 201", true), ("perform set_config(name, value, true)", true),
        ("set_config('response.' || name, '', true)", true),
        ("perform set_config('app.name', value, true)", false), ("select 1", false),
    ])
    func findsOutWhoShapesResponses(text: String, may: Bool) {
        #expect(RequestSettingsScan.mayShapeResponses(["select 1", text]) == may)
    }
}
