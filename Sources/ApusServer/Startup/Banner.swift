/// What a person sees when the server is up: where it is, the keys, and commands that work when pasted.
struct Banner: Sendable {
    let settings: Settings
    let keys: DevelopmentKeys
    let port: Int
    let home: DatabaseHome

    /// Only for the private database, where the keys are Apus's own to show.
    func show(after duration: Duration) {
        guard home.dataDirectory != nil, keys.fallbackSecret != nil else { return }
        guard let anon = keys.key(role: "anon", settings: settings),
            let service = keys.key(role: "service_role", settings: settings)
        else { return }
        let url = "http://\(shownHost):\(port)"
        let milliseconds = Int((duration / .milliseconds(1)).rounded())
        var text = """

            Apus is ready after \(milliseconds) ms.

              API           \(url)\(settings.string("rest-prefix") ?? "")
              anon key      \(anon)
              service key   \(service)
              database      apus db psql --data-dir \(home.dataDirectory ?? ".apus")

            """
        if settings.string("migrations")?.contains("examples/experts") == true {
            text += """

                Try:

                  curl '\(url)/rest/v1/experts?select=headline,profiles(display_name)&limit=3'
                  curl '\(url)/rest/v1/questions?select=title,matches(score)&order=created_at.desc&limit=2'
                  curl -I '\(url)/rest/v1/messages?limit=1' -H 'Prefer: count=exact' -H 'Authorization: Bearer '"$(apus token --role service_role)"

                """
        }
        Terminal.print(text)
    }

    private var shownHost: String {
        let host = settings.string("server-host") ?? "127.0.0.1"
        return ["*", "*4", "!4", "*6", "!6", "0.0.0.0", "::"].contains(host) ? "127.0.0.1" : host
    }
}
