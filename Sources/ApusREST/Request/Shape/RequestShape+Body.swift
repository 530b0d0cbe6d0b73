import ApusCatalog

extension RequestShape {
    /// Reads the body of a request that writes or calls: the keys of its objects to the key, form fields to their
    /// slots. What is wrong with it is kept in ``payload``, as faults of the query string come first.
    ///
    /// - Parameter usesColumns: whether a parameter `columns` makes up for the keys.
    mutating func readBody(
        of request: RESTRequest, isCall: Bool, usesColumns: Bool, limits: RESTSettings.Limits
    ) {
        let type = request.fields.contentType
        switch (type.map { BodyType(reading: $0) } ?? .json, isCall) {
        case (.json, _) where usesColumns && parameters.contains { $0.role == .columns }:
            // Nobody needs its keys, so it goes to the database unread.
            payload = .uninspectedJSON
            body = request.body
        case (.json, _): readJSON(request.body, emptyIsObject: isCall, limits: limits)
        case (.csv, _): readCSV(request.body)
        case (.form, true):
            payload = .form
            readForm(request.body, limits: limits)
        case (.form, false): readFormAsObject(request.body, limits: limits)
        case (.raw, true):
            payload = .raw
            body = request.body
        case (.raw, false), (.other, _):
            let name = MediaType(reading: type ?? "").text
            refuse(.body("Content-Type not acceptable: \(name)"))
        }
        noteKeys()
    }

    private enum BodyType {
        case json, csv, form, raw, other

        init(reading text: String) {
            // The common case costs no allocation.
            if text == "application/json" {
                self = .json
                return
            }
            switch MediaType(reading: text) {
            case .json: self = .json
            case .csv: self = .csv
            case .urlEncoded: self = .form
            case .plainText, .xml, .octetStream: self = .raw
            default: self = .other
            }
        }
    }

    private mutating func refuse(_ fault: RequestFault) {
        payload = .refused(fault)
        isComplete = false
    }

    // MARK: - JSON

    private mutating func readJSON(_ json: [UInt8], emptyIsObject: Bool, limits: RESTSettings.Limits) {
        if emptyIsObject, json.isEmpty {
            payload = .json(keys: [])
            body = Array("{}".utf8)
            return
        }
        switch JSONPayload(scanning: json, maxDepth: limits.jsonDepth) {
        case .objects(let keys):
            body = json
            appendKeys(keys.map { json[$0] }, areEscaped: true)
        case .noObjects:
            body = Array("[]".utf8)
            payload = .json(keys: [])
        case .unequalKeys: refuse(.body("All object keys must match"))
        case .invalid: refuse(.body("Empty or invalid json"))
        case .tooDeep: refuse(.jsonTooDeep(limit: limits.jsonDepth))
        }
    }

    /// Writes `names` to the key: each once, in ascending order, so that the order of a client's keys does not
    /// make another shape.
    private mutating func appendKeys(_ names: [some Collection<UInt8>], areEscaped: Bool) {
        let unescaped = names.map { name in
            var text: [UInt8] = []
            if areEscaped, name.contains(UInt8(ascii: "\\")) {
                appendUnescapedJSON(name, to: &text)
            } else {
                text.append(contentsOf: name)
            }
            return text
        }.sorted { $0.lexicographicallyPrecedes($1) }
        var ranges: [Range<Int>] = []
        for (index, name) in unescaped.enumerated() where index == 0 || unescaped[index - 1] != name {
            keyWriter.append(tag: 1)
            ranges.append(keyWriter.appendPart { $0.append(contentsOf: name) })
        }
        payload = .json(keys: ranges)
    }

    /// Ends the keys and says what kind of payload they belong to.
    private mutating func noteKeys() {
        let tag: UInt8 =
            switch payload {
            case .none, .refused: 0
            case .json: 2
            case .uninspectedJSON: 3
            case .form: 4
            case .raw: 5
            }
        keyWriter.append(tag: tag)
    }

    // MARK: - Other types

    private mutating func readCSV(_ csv: [UInt8]) {
        do throws(CSVBody.Problem) {
            let table = try CSVBody(reading: csv)
            body = table.json
            // Without a line there are no objects, and so no keys.
            appendKeys(body.count > 2 ? table.names : [], areEscaped: false)
        } catch {
            switch error {
            case .malformed: refuse(.body("Empty or invalid csv"))
            case .unequalLines: refuse(.body("All lines must have same number of fields"))
            }
        }
    }

    /// A form for a relation is one object; of two fields of one name the last one counts.
    private mutating func readFormAsObject(_ form: [UInt8], limits: RESTSettings.Limits) {
        var names: [[UInt8]] = []
        var contents: [[UInt8]] = []
        form.withUnsafeBufferPointer { form in
            var pairs = QueryPairs(form)
            while let (encodedName, encodedValue) = pairs.next(), names.count <= limits.parameters {
                var (name, value): ([UInt8], [UInt8]) = ([], [])
                appendPercentDecoded(encodedName, to: &name)
                if let encodedValue { appendPercentDecoded(encodedValue, to: &value) }
                names.append(name)
                contents.append(value)
            }
        }
        guard names.count <= limits.parameters else {
            refuse(.tooManyParameters(limit: limits.parameters))
            return
        }
        body = [UInt8(ascii: "{")]
        for (index, name) in names.enumerated() where !names[(index + 1)...].contains(name) {
            if body.count > 1 { body.append(UInt8(ascii: ",")) }
            appendJSONString(name, to: &body)
            body.append(UInt8(ascii: ":"))
            appendJSONString(contents[index], to: &body)
        }
        body.append(UInt8(ascii: "}"))
        appendKeys(names, areEscaped: false)
    }
}
