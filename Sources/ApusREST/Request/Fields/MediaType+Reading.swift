package import ApusCatalog

extension MediaType {
    /// Reads a media type with its parameters (RFC 9110 §8.3.1). What is none is taken as a name.
    package init(reading text: some StringProtocol) {
        let parts = Substring(text).splitOutsideQuotes(at: UInt8(ascii: ";"))
        let essence = String(parts.first?.trimmingBlanks ?? "")
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            parameters[pair[0].trimmingBlanks.lowercased()] = pair[1].trimmingBlanks.unquoted
        }
        self = MediaType(essence: essence).with(parameters, essence: essence.lowercased())
    }

    /// Reads the lines of `Accept` (RFC 9110 §12.5.1): best first, those of equal quality in the order in which
    /// they are specific, then in the order given. Without a line, anything is acceptable.
    package static func acceptable(_ lines: [String]) -> [MediaType] {
        var ranges: [(type: MediaType, quality: Double, specificity: Int)] = []
        for line in lines {
            for range in Substring(line).splitOutsideQuotes(at: UInt8(ascii: ",")) {
                let range = range.trimmingBlanks
                guard !range.isEmpty else { continue }
                let (type, quality) = range.withoutQuality
                guard quality > 0 else { continue }
                let semicolons = type.utf8.count { $0 == UInt8(ascii: ";") }
                let stars = type.utf8.count { $0 == UInt8(ascii: "*") }
                ranges.append((MediaType(reading: type), quality, semicolons - stars))
            }
        }
        guard !ranges.isEmpty else { return [.any] }
        // By position where all else is equal: the library promises no stable sort.
        return ranges.enumerated().sorted { left, right in
            (-left.element.quality, -left.element.specificity, left.offset)
                < (-right.element.quality, -right.element.specificity, right.offset)
        }.map(\.element.type)
    }

    private func with(_ parameters: [String: String], essence: String) -> MediaType {
        let stripsNulls = parameters["nulls"] == "stripped"
        switch self {
        case .singleObject: return .singleObject(stripsNulls: stripsNulls)
        case .json where stripsNulls && essence.hasPrefix("application/vnd.pgrst.array"):
            return .arrayWithoutNulls
        case .plan(_, let format, _):
            // Of a plan of a plan the inner parameters cannot be given; one level is all there is.
            let inner = parameters["for"].map { MediaType(reading: $0) } ?? .json
            let names = parameters["options"]?.split(separator: "|") ?? []
            let options = PlanOption.allCases.filter { names.contains(Substring($0.rawValue)) }
            return .plan(of: inner, format: format, options: options)
        default: return self
        }
    }
}

extension Substring {
    /// Splits where `separator` stands outside a quoted string.
    fileprivate func splitOutsideQuotes(at separator: UInt8) -> [Substring] {
        var parts: [Substring] = []
        var start = startIndex
        var isQuoted = false
        for index in utf8.indices {
            switch utf8[index] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case separator where !isQuoted:
                parts.append(self[start..<index])
                start = utf8.index(after: index)
            default: break
            }
        }
        parts.append(self[start...])
        return parts
    }

    fileprivate var unquoted: String {
        guard hasPrefix("\""), hasSuffix("\""), utf8.count > 1 else { return String(self) }
        return String(dropFirst().dropLast())
    }

    /// The media range without `q`, and its quality, which is 1 where it is not said or no number.
    fileprivate var withoutQuality: (type: String, quality: Double) {
        var quality = 1.0
        var kept: [Substring] = []
        for part in splitOutsideQuotes(at: UInt8(ascii: ";")) {
            let part = part.trimmingBlanks
            if !kept.isEmpty, part.hasPrefix("q=") || part.hasPrefix("Q=") {
                quality = Double(part.dropFirst(2)) ?? 1
            } else {
                kept.append(part)
            }
        }
        return (kept.joined(separator: ";"), quality)
    }
}
