import ApusPostgres
import ApusRealtime
import Testing

@Suite struct PositionTests {
    @Test func `an LSN is written and read as PostgreSQL does`() {
        #expect(LSN("16/B374D848")?.value == 0x16_B374_D848)
        #expect(LSN(0x16_B374_D848).description == "16/B374D848")
        #expect(LSN("0/0") == .zero)
        for wrong in ["", "1", "1/", "/1", "1/2/3", "g/1", "+1/2", "1/-2", "100000000/0"] {
            #expect(LSN(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `positions are ordered by epoch, commit and change`() {
        let first = FeedPosition(epoch: 1, lsn: LSN(5), index: 7)
        #expect(first < FeedPosition(epoch: 1, lsn: LSN(5), index: 8))
        #expect(first < FeedPosition(epoch: 1, lsn: LSN(6), index: 0))
        #expect(first < FeedPosition(epoch: 2, lsn: LSN(0), index: 0))
        #expect(first < .end(epoch: 1, lsn: LSN(5)))
    }
}
