// How training is saved and resumed: which of its numbers go into which file.

#include "checkpoint.hpp"
#include "problem.hpp"
#include "safetensors_file.hpp"
#include "training.hpp"

#include <papilio/base/check.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <exception>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace papilio::example {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* weights_name = "model.safetensors";
constexpr const char* optimizer_name = "optimizer.safetensors";
constexpr const char* state_name = "state.json";
constexpr const char* record_name = "record.json";
constexpr std::string_view inner_prefix = "inner.";  // of the names of a trainer's tensors

/// Whether a file is none of a trainer's texts.
bool is_ours(const std::string& name)
{
    return name == weights_name || name == optimizer_name || name == state_name ||
           name == record_name || name == "manifest.json";
}

/// Numbers as numbers, and what is none as text.
json value_of(const std::string& text)
{
    json value = json::parse(text, nullptr, false);
    return value.is_number() ? value : json(text);
}

json as_json(const named_values& values)
{
    json all = json::object();
    for (const auto& [name, value] : values) all[name] = value_of(value);
    return all;
}

/// A number of a trainer's record, whose name may lead into objects: "schedule/peak".
void put_number(ordered_json& state, const std::string& name, double value)
{
    const bool ours = name == "step" || name == "round" || name.starts_with("draws");
    PAPILIO_CHECK(!ours && name.find('~') == std::string::npos,
                  "a trainer's numbers are called neither step nor round nor draws, and have no ~");
    if (!std::isfinite(value)) return;
    const bool whole = value >= 0 && value <= 0x1p53 && value == std::floor(value);
    auto& place = state[ordered_json::json_pointer("/" + name)];
    if (whole)
        place = static_cast<std::uint64_t>(value);
    else
        place = value;
}

std::string state_text(const training_view& then, std::uint64_t round, const json& draws)
{
    ordered_json state = {{"step", then.next_step}, {"round", round}, {"draws", draws}};
    for (const auto& [name, value] : then.own.numbers) put_number(state, name, value);
    return state.dump(2) + "\n";
}

/// The values in this order, under their names.
std::vector<named_tensor> pieces_of(const std::vector<named_shape>& layout,
                                    std::span<const float> flat)
{
    std::vector<named_tensor> tensors;
    for (const auto& piece : layout) {
        const std::size_t count = elements_of(piece);
        tensors.push_back({piece.name, piece.shape, flat.first(count)});
        flat = flat.subspan(count);
    }
    return tensors;
}

std::vector<named_tensor> optimizer_tensors(const trainer_record& inner, const outer_view& outer)
{
    std::vector<named_tensor> tensors;
    const auto add = [&](std::string name, std::span<const float> values) {
        if (!values.empty()) tensors.push_back({std::move(name), {values.size()}, values});
    };
    for (const auto& [name, values] : inner.tensors) add(std::string(inner_prefix) + name, values);
    add("outer.anchor", outer.anchor);
    add("outer.momentum", outer.momentum);
    add("outer.unsent", outer.residuals);
    return tensors;
}

std::vector<float> read_vector(const safetensors_file& from, const std::string& name,
                               std::size_t count)
{
    from.expect(name, {count});
    std::vector<float> values(count);
    from.read(name, values);
    return values;
}

void add_text(checkpoint_writer& to, const std::string& name, const std::string& content)
{
    PAPILIO_CHECK(!is_ours(name) && name.find('/') == std::string::npos,
                  "a trainer's texts have names that are none of the checkpoint's own files");
    if (content.size() > longest_text)
        throw problem(errc::bad_argument,
                      "the text " + name + " of the trainer has " + std::to_string(content.size()) +
                          " bytes, more than a checkpoint takes: " + std::to_string(longest_text));
    to.add(name, content);
}

/// All that a trainer has put into its record.
trainer_record record_of(const checkpoint_reader& from, json state)
{
    trainer_record record;
    record.source = "the checkpoint " + from.folder().string();
    const safetensors_file optimizers(from.folder() / optimizer_name);
    for (const auto& entry : optimizers.header().entries)
        if (entry.name.starts_with(inner_prefix) && entry.shape.size() == 1)
            record.tensors[entry.name.substr(inner_prefix.size())] =
                read_vector(optimizers, entry.name, entry.shape[0]);
    for (const char* other : {"step", "round", "draws"}) state.erase(other);
    const json numbers = state.flatten();
    for (const auto& [pointer, value] : numbers.items())
        if (value.is_number()) record.numbers[pointer.substr(1)] = value.get<double>();
    for (const auto& name : from.files())
        if (!is_ours(name)) record.texts[name] = from.text(name);
    return record;
}

void restore(papilio::trainer& t, const trainer_record& saved)
try {
    t.restore(saved);
} catch (const problem&) {
    throw;
} catch (const std::exception& why) {
    throw problem(errc::mismatch, saved.source + " does not suit this model: " + why.what());
}

outer_state outer_of(const checkpoint_reader& from, std::uint64_t round, std::size_t size)
{
    const safetensors_file optimizers(from.folder() / optimizer_name);
    const auto read_if_there = [&](const char* name) {
        const bool there = optimizers.header().find(name) != nullptr;
        return there ? read_vector(optimizers, name, size) : std::vector<float>{};
    };
    return {.round = round,
            .anchor = read_if_there("outer.anchor"),
            .momentum = read_if_there("outer.momentum"),
            .residuals = read_if_there("outer.unsent"),
            .record = from.has(record_name) ? from.text(record_name) : std::string()};
}

void compare_draws(const fs::path& folder, const json& then, const json& now)
{
    for (const auto& [name, value] : now.items())
        if (then.at(name) != value)
            throw problem(errc::mismatch, "the checkpoint " + folder.string() + " was made with " +
                                              name + " " + then.at(name).dump() +
                                              ", this run has " + value.dump() +
                                              ": use the same, or start anew elsewhere");
}

std::vector<float> read_weights(const fs::path& path, const std::vector<named_shape>& layout,
                                std::size_t size)
{
    const safetensors_file from(path);
    std::vector<float> flat(size);
    std::set<std::string> known;
    for (const auto& piece : pieces_of(layout, flat)) {
        from.expect(piece.name, piece.shape);
        known.insert(piece.name);
        const auto begin = static_cast<std::size_t>(piece.values.data() - flat.data());
        from.read(piece.name, std::span(flat).subspan(begin, piece.values.size()));
    }
    for (const safetensors_entry& entry : from.header().entries)
        if (!known.contains(entry.name))
            throw problem(errc::mismatch, "the checkpoint holds the tensor " + entry.name +
                                              ", which the model does not have");
    return flat;
}

}  // namespace

/// What must be the same on both sides of a restart, or other data would be drawn.
named_values training::draws() const
{
    named_values all = draws_;
    all.emplace_back("peer", std::to_string(next_.peer));
    return all;
}

void training::take_snapshot(training_snapshot& to) const
{
    to.next_step = next_.step;
    const auto now = parameters();
    to.parameters.assign(now.begin(), now.end());
    trainer_->save(to.own);
}

fs::path training::save(checkpoint_folder& in, const outer_view& outer, std::size_t keep) const
{
    trainer_record now;
    trainer_->save(now);
    return save_snapshot(in, {next_.step, parameters(), now}, outer, keep);
}

fs::path training::save_snapshot(checkpoint_folder& in, const training_view& then,
                                 const outer_view& outer, std::size_t keep) const
{
    checkpoint_writer writer(in);
    for (const auto& [name, content] : then.own.texts) add_text(writer, name, content);
    writer.add(weights_name, [&](const checkpoint_writer::sink& put) {
        write_safetensors(pieces_of(layout_, then.parameters), put);
    });
    writer.add(optimizer_name, [&](const checkpoint_writer::sink& put) {
        write_safetensors(optimizer_tensors(then.own, outer), put);
    });
    writer.add(state_name, state_text(then, outer.round, as_json(draws())));
    if (!outer.record.empty()) writer.add(record_name, outer.record);
    return writer.commit(keep);
}

outer_state training::resume(const fs::path& directory)
try {
    // A trainer refuses another model with better words than the shapes of tensors or the draws
    // would give: it comes first. The weights change last, when nothing can fail any more.
    const checkpoint_reader reader(directory);
    const json state = json::parse(reader.text(state_name));
    const auto step = state.at("step").get<std::uint64_t>();
    auto outer = outer_of(reader, state.at("round").get<std::uint64_t>(), size_);
    restore(*trainer_, record_of(reader, state));
    compare_draws(reader.folder(), state.at("draws"), as_json(draws()));
    trainer_->set_parameters(read_weights(reader.folder() / weights_name, layout_, size_));
    next_.step = step;
    return outer;
} catch (const json::exception& why) {
    throw problem(errc::bad_message, "the checkpoint in " + directory.string() +
                                         " was not written by this program: " + why.what());
}

}  // namespace papilio::example
