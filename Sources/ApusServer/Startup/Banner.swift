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
        let scheme = settings.string("server-tls-certificate") == nil ? "http" : "https"
        let site = "\(scheme)://\(shownHost):\(port)"
        let url = site + settings.restPrefix
        let program = CommandLine.arguments.first ?? "apus"
        let directory = home.dataDirectory ?? ".apus"
        let milliseconds = Int((duration / .milliseconds(1)).rounded())
        var text = """

            Apus is ready after \(milliseconds) ms.

              API           \(url)
              anon key      \(anon)
              service key   \(service)
              database      \(program) db psql --data-dir \(directory)

            """
        if settings.string("web-root") != nil { text += "  page          \(site)/\n" }
        if settings.string("migrations")?.contains("examples/experts") == true {
            text += """

                Try:

                  curl '\(url)/experts?select=headline,profiles(display_name)&limit=3'
                  curl '\(url)/expert_directory?is_open=is.true&order=rating.desc.nullslast&limit=3'
                  curl -I '\(url)/messages?limit=1' -H 'Prefer: count=exact' \\
                    -H "Authorization: Bearer $(\(program) token --role service_role --data-dir \(directory))"

                """
        }
        Terminal.print(text)
    }

    private var shownHost: String {
        let host = settings.string("server-host") ?? "127.0.0.1"
        return ["*", "*4", "!4", "*6", "!6", "0.0.0.0", "::"].contains(host) ? "127.0.0.1" : host
    }
}
