/// A telephone number in international form (ITU-T E.164), as digits without `+`.
package enum PhoneNumber {
    /// nil for what is no number: 7 to 15 digits that do not begin with 0. Spaces, hyphens, dots and brackets between
    /// them are left out.
    package static func read(_ text: String) -> String? {
        var digits = ""
        for (index, character) in text.enumerated() {
            switch character {
            case "0"..."9": digits.append(character)
            case "+" where index == 0: continue
            case " ", "-", ".", "(", ")": continue
            default: return nil
            }
        }
        return (7...15).contains(digits.utf8.count) && digits.first != "0" ? digits : nil
    }
}
