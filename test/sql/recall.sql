begin read only;
set local role funes_admin;
set local hnsw.ef_search = 160;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  query.n::text,
  hit.distance,
  hit.kind,
  hit.row_id::text,
  "memories"."id",
  "memories"."user_id",
  "memories"."content",
  "memories"."content_summary",
  "memories"."embedding_model",
  "memories"."embedding_source",
  "memories"."embedding_error",
  "memories"."source",
  "memories"."session_id",
  "memories"."importance_score",
  "memories"."metadata",
  "memories"."idempotency_key",
  "memories"."created_at",
  "memories"."updated_at",
  case
    when "memories"."embedding_error" is not null then 'FAILED'
    when "memories"."embedding" is null then 'PENDING'
    when (
      "memories"."embedding_source" = 'FUNES'
      and "memories"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end,
  "document_chunks"."id",
  "document_chunks"."user_id",
  "document_chunks"."document_id",
  "document_chunks"."chunk_index",
  "document_chunks"."total_chunks",
  "document_chunks"."content",
  "document_chunks"."content_summary",
  "document_chunks"."embedding_model",
  "document_chunks"."embedding_source",
  "document_chunks"."embedding_error",
  "document_chunks"."chunk_size",
  "document_chunks"."overlap_size",
  "document_chunks"."start_offset",
  "document_chunks"."end_offset",
  "document_chunks"."metadata",
  "document_chunks"."created_at",
  case
    when "document_chunks"."embedding_error" is not null then 'FAILED'
    when "document_chunks"."embedding" is null then 'PENDING'
    when (
      "document_chunks"."embedding_source" = 'FUNES'
      and "document_chunks"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end,
  "documents"."id",
  "documents"."user_id",
  "documents"."filename",
  "documents"."file_path",
  "documents"."file_type",
  "documents"."file_size",
  "documents"."content_hash",
  "documents"."total_chunks",
  "documents"."created_at",
  "documents"."processed_at",
  "documents"."updated_at",
  "documents"."metadata",
  "tool_embeddings"."id",
  "tool_embeddings"."tool_name",
  "tool_embeddings"."tool_description",
  "tool_embeddings"."tool_parameters",
  "tool_embeddings"."embedding_model",
  "tool_embeddings"."embedding_source",
  "tool_embeddings"."embedding_error",
  "tool_embeddings"."usage_count",
  "tool_embeddings"."last_used",
  "tool_embeddings"."created_at",
  "tool_embeddings"."updated_at",
  case
    when "tool_embeddings"."embedding_error" is not null then 'FAILED'
    when "tool_embeddings"."embedding" is null then 'PENDING'
    when (
      "tool_embeddings"."embedding_source" = 'FUNES'
      and "tool_embeddings"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  unnest($1::vector[], $2::text[]) with ordinality as query (vector, text, n)
  cross join lateral (
    select
      *
    from
      (
        select
          'MEMORY' as kind,
          id as row_id,
          user_id,
          null::bigint as chunk_id,
          distance
        from
          (
            with
              near as materialized (
                select
                  "memories"."id",
                  "memories"."user_id",
                  "memories"."embedding" <=> query.vector as distance
                from
                  "memories"
                where
                  (
                    case
                      when "memories"."embedding_model" = $3 then 1
                    end
                  ) is not null
                order by
                  distance,
                  "memories"."id"
                limit
                  $4
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "memories"."id",
                      "memories"."user_id",
                      "memories"."embedding" <=> query.vector as distance
                    from
                      "memories"
                    where
                      (
                        (
                          case
                            when "memories"."embedding_model" = $5 then 1
                          end
                        ) is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $6
                      )
                  ) candidate
                order by
                  distance + 0,
                  id
                limit
                  $7
              ) (
                select
                  *
                from
                  near
                where
                  (
                    select
                      count(*)
                    from
                      near
                  ) >= $8
                order by
                  distance,
                  id
                limit
                  $9
              )
            union all
            select
              *
            from
              completed
          ) memory
        union all
        select
          'CHUNK' as kind,
          id as row_id,
          user_id,
          id as chunk_id,
          distance
        from
          (
            with
              near as materialized (
                select
                  "document_chunks"."id",
                  "document_chunks"."user_id",
                  "document_chunks"."embedding" <=> query.vector as distance
                from
                  "document_chunks"
                where
                  (
                    case
                      when "document_chunks"."embedding_model" = $10 then 1
                    end
                  ) is not null
                order by
                  distance,
                  "document_chunks"."id"
                limit
                  $11
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "document_chunks"."id",
                      "document_chunks"."user_id",
                      "document_chunks"."embedding" <=> query.vector as distance
                    from
                      "document_chunks"
                    where
                      (
                        (
                          case
                            when "document_chunks"."embedding_model" = $12 then 1
                          end
                        ) is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $13
                      )
                  ) candidate
                order by
                  distance + 0,
                  id
                limit
                  $14
              ) (
                select
                  *
                from
                  near
                where
                  (
                    select
                      count(*)
                    from
                      near
                  ) >= $15
                order by
                  distance,
                  id
                limit
                  $16
              )
            union all
            select
              *
            from
              completed
          ) chunk
        union all
        select
          'DOCUMENT' as kind,
          document_id as row_id,
          user_id,
          chunk_id,
          distance
        from
          (
            with
              best as materialized (
                select distinct
                  on (document_id) id as chunk_id,
                  document_id,
                  user_id,
                  distance
                from
                  (
                    with
                      near as materialized (
                        select
                          "document_chunks"."id",
                          "document_chunks"."document_id",
                          "document_chunks"."user_id",
                          "document_chunks"."embedding" <=> query.vector as distance
                        from
                          "document_chunks"
                        where
                          (
                            case
                              when "document_chunks"."embedding_model" = $17 then 1
                            end
                          ) is not null
                        order by
                          distance,
                          "document_chunks"."id"
                        limit
                          $18
                      ),
                      completed as materialized (
                        select
                          *
                        from
                          (
                            select
                              "document_chunks"."id",
                              "document_chunks"."document_id",
                              "document_chunks"."user_id",
                              "document_chunks"."embedding" <=> query.vector as distance
                            from
                              "document_chunks"
                            where
                              (
                                (
                                  case
                                    when "document_chunks"."embedding_model" = $19 then 1
                                  end
                                ) is not null
                                and not (
                                  select
                                    count(*)
                                  from
                                    near
                                ) >= $20
                              )
                          ) candidate
                        order by
                          distance + 0,
                          id
                        limit
                          $21
                      ) (
                        select
                          *
                        from
                          near
                        where
                          (
                            select
                              count(*)
                            from
                              near
                          ) >= $22
                        order by
                          distance,
                          id
                        limit
                          $23
                      )
                    union all
                    select
                      *
                    from
                      completed
                  ) chunks
                order by
                  document_id,
                  distance,
                  id
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select distinct
                      on (document_id) id as chunk_id,
                      document_id,
                      user_id,
                      "document_chunks"."embedding" <=> query.vector as distance
                    from
                      "document_chunks"
                    where
                      (
                        not (
                          select
                            count(*)
                          from
                            best
                        ) >= $24
                        and (
                          case
                            when "document_chunks"."embedding_model" = $25 then 1
                          end
                        ) is not null
                      )
                    order by
                      document_id,
                      distance,
                      id
                  ) every_document
                order by
                  distance,
                  document_id
                limit
                  $26
              ) (
                select
                  *
                from
                  best
                where
                  (
                    select
                      count(*)
                    from
                      best
                  ) >= $27
                order by
                  distance,
                  document_id
                limit
                  $28
              )
            union all
            select
              *
            from
              completed
          ) document
        union all
        select
          'TOOL' as kind,
          id as row_id,
          null::varchar as user_id,
          null::bigint as chunk_id,
          distance
        from
          (
            with
              near as materialized (
                select
                  "tool_embeddings"."id",
                  "tool_embeddings"."embedding" <=> query.vector as distance
                from
                  "tool_embeddings"
                where
                  (
                    case
                      when "tool_embeddings"."embedding_model" = $29 then 1
                    end
                  ) is not null
                order by
                  distance,
                  "tool_embeddings"."id"
                limit
                  $30
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "tool_embeddings"."id",
                      "tool_embeddings"."embedding" <=> query.vector as distance
                    from
                      "tool_embeddings"
                    where
                      (
                        (
                          case
                            when "tool_embeddings"."embedding_model" = $31 then 1
                          end
                        ) is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $32
                      )
                  ) candidate
                order by
                  distance + 0,
                  id
                limit
                  $33
              ) (
                select
                  *
                from
                  near
                where
                  (
                    select
                      count(*)
                    from
                      near
                  ) >= $34
                order by
                  distance,
                  id
                limit
                  $35
              )
            union all
            select
              *
            from
              completed
          ) tool
      ) every_kind
    order by
      distance,
      kind,
      row_id
    limit
      $36
  ) as hit
  left join "memories" on (
    hit.kind in ($37)
    and "memories"."id" = hit.row_id
    and "memories"."user_id" = hit.user_id
  )
  left join "document_chunks" on (
    hit.kind in ($38, $39)
    and "document_chunks"."id" = hit.chunk_id
    and "document_chunks"."user_id" = hit.user_id
  )
  left join "documents" on (
    hit.kind in ($40)
    and "documents"."id" = hit.row_id
    and "documents"."user_id" = hit.user_id
  )
  left join "tool_embeddings" on (
    hit.kind in ($41)
    and "tool_embeddings"."id" = hit.row_id
  )
where
  1 / (
    select
      (coalesce(embedding_model, $42) = $43)::int
    from
      installation
  ) = 1
order by
  query.n asc,
  hit.distance asc,
  hit.kind,
  hit.row_id;
