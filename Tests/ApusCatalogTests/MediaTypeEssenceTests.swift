import Testing

@testable import ApusCatalog

@Suite struct MediaTypeEssenceTests {
    @Test(arguments: [
        MediaType.json, .geoJSON, .csv, .plainText, .xml, .openAPI, .urlEncoded, .octetStream, .any,
        .singleObject(stripsNulls: false), .other("image/png"),
    ])
    func readsWhatItPrints(type: MediaType) {
        #expect(MediaType(essence: type.text) == type)
        #expect(MediaType(essence: type.text.uppercased()) == type)
    }

    @Test func knowsTheDialectsShortForms() {
        #expect(MediaType(essence: "application/vnd.pgrst.array") == .json)
        #expect(MediaType(essence: "application/vnd.pgrst.object") == .singleObject(stripsNulls: false))
        #expect(
            MediaType(essence: "application/vnd.pgrst.plan+json")
                == .plan(of: .json, format: .json, options: []))
    }
}
