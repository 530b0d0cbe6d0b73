/// Makes names that Prometheus takes from OpenTelemetry's (opentelemetry.io, "Prometheus and OpenMetrics
/// Compatibility"): `http.server.request.duration` becomes `http_server_request_duration_seconds`.
enum PrometheusName {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`, with the unit and, for counters, `_total` at its end.
    static func metric(_ label: String, unit: MetricDescription.Unit, kind: PrometheusText.Kind) -> String {
        var name = cleaned(label, colons: true)
        switch unit {
        case .none: break
        case .seconds: name = ending(name, in: "_seconds")
        case .bytes: name = ending(name, in: "_bytes")
        }
        if kind == .counter { return ending(name, in: "_total") }
        // These endings belong to the parts of a histogram.
        for reserved in ["_count", "_sum", "_bucket", "_total"] where name.hasSuffix(reserved) {
            return name + "_current"
        }
        return name
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, and neither Prometheus' own (`__…`) nor a histogram's (`le`).
    static func label(_ label: String) -> String {
        let name = cleaned(label, colons: false)
        return name.hasPrefix("__") || name == "le" ? "label_" + name : name
    }

    private static func ending(_ name: String, in suffix: String) -> String {
        name.hasSuffix(suffix) ? name : name + suffix
    }

    private static func cleaned(_ text: String, colons: Bool) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": name.unicodeScalars.append(scalar)
            case ":" where colons: name.unicodeScalars.append(scalar)
            case "0"..."9": name += name.isEmpty ? "_\(scalar)" : "\(scalar)"
            default: name += "_"
            }
        }
        return name.isEmpty ? "_" : name
    }
}
