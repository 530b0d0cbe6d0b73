extension RequestShape {
    /// Reads the query string into parameters: structure to the key, values to their slots.
    ///
    /// - Parameter isCall: whether a parameter without operator is an argument and no fault.
    mutating func readQuery(_ query: [UInt8], isCall: Bool, limits: RESTSettings.Limits) {
        query.withUnsafeBufferPointer { query in
            var pairs = QueryPairs(query)
            while let (name, value) = pairs.next() {
                guard let value else { continue }
                guard parameters.count < limits.parameters else {
                    hasTooManyParameters = true
                    isComplete = false
                    return
                }
                readParameter(name: name, value: value, isCall: isCall)
            }
        }
        keyWriter.append(tag: 0)
    }

    /// Reads a form into fields with a slot each.
    mutating func readForm(_ form: [UInt8], limits: RESTSettings.Limits) {
        form.withUnsafeBufferPointer { form in
            var pairs = QueryPairs(form)
            while let (name, value) = pairs.next() {
                guard parameters.count < limits.parameters else {
                    hasTooManyParameters = true
                    isComplete = false
                    return
                }
                keyWriter.append(tag: ParameterRole.formField.rawValue)
                let nameRange = keyWriter.appendPart { appendPercentDecoded(name, to: &$0) }
                values.append(encoded: value ?? form[form.count...])
                parameters.append(
                    Parameter(
                        role: .formField, name: nameRange,
                        structure: nameRange.upperBound..<nameRange.upperBound,
                        slot: values.count - 1))
            }
        }
        keyWriter.append(tag: 0)
    }

    private typealias Encoded = UnsafeBufferPointer<UInt8>.SubSequence

    private mutating func readParameter(name: Encoded, value: Encoded, isCall: Bool) {
        let tagIndex = keyWriter.bytes.count
        keyWriter.append(tag: 0)
        let nameRange = keyWriter.appendPart { appendPercentDecoded(name, to: &$0) }
        var role = ParameterRole(of: keyWriter.bytes[nameRange])
        if role.isSingle, parameters.contains(where: { $0.role == role }) {
            keyWriter.truncate(to: tagIndex)
            return
        }
        var slot: Int?
        let structure: Range<Int>
        if role == .filter {
            values.append(encoded: value)
            slot = values.count - 1
            let operatorLength = OperatorPrefix.length(of: values[values.count - 1])
            if operatorLength == nil {
                if isCall { role = .argument } else { isComplete = false }
            }
            let decoded = values[values.count - 1].prefix(operatorLength ?? 0)
            structure = keyWriter.appendPart { $0.append(contentsOf: decoded) }
        } else {
            structure = keyWriter.appendPart { appendPercentDecoded(value, to: &$0) }
        }
        keyWriter.setTag(role.rawValue, at: tagIndex)
        parameters.append(Parameter(role: role, name: nameRange, structure: structure, slot: slot))
    }
}
